#include "storage/values/trie_view.h"

#include <algorithm>

#include "storage/base/allocate.h"
#include "storage/base/text_hash.h"

namespace cloakroom {
namespace {

// The leaf (or empty run, then null) that covers a position, and the first position behind it.
struct Cover {
  const TrieLeaf* leaf;
  uint64_t end;
};

const TrieLeaf* AsLeaf(const TriePart* part) { return static_cast<const TrieLeaf*>(part); }
const TrieNode* AsNode(const TriePart* part) { return static_cast<const TrieNode*>(part); }

Cover Locate(const TriePart* root, uint64_t position) {
  const TriePart* part = root;
  uint64_t end = uint64_t{1} << kTriePositionBits;
  for (unsigned depth = 0; part != nullptr && !part->is_leaf; ++depth) {
    const TrieNode* const node = AsNode(part);
    const unsigned index = node->IndexOf(TrieSlot(position, depth));
    const unsigned shift = kTriePositionBits - kTrieSlotBits * (depth + 1);
    const uint64_t node_start = position >> shift >> kTrieSlotBits << kTrieSlotBits;
    end = (node_start + node->Start(index) + node->Width(index)) << shift;
    part = node->children()[index].part;
  }
  return {AsLeaf(part), end};
}

void VisitItems(const TriePart* part, absl::FunctionRef<void(const Item&)> fn) {
  if (part == nullptr) return;
  if (part->is_leaf) {
    for (const PackedItem& item : AsLeaf(part)->items()) fn(item);
    return;
  }
  for (const TrieChild& child : AsNode(part)->children()) VisitItems(child.part, fn);
}

bool VisitExpired(const TriePart* part, int64_t now_ms, absl::FunctionRef<bool(const Item&)> fn) {
  if (TrieMinExpiry(part) > now_ms) return true;
  if (part->is_leaf) {
    for (const PackedItem& item : AsLeaf(part)->items()) {
      if (item.ExpiredAt(now_ms) && !fn(item)) return false;
    }
    return true;
  }
  return std::ranges::all_of(AsNode(part)->children(), [&](const TrieChild& child) {
    return VisitExpired(child.part, now_ms, fn);
  });
}

size_t WholeMemory(const TriePart* part) {
  if (part == nullptr) return 0;
  if (part->is_leaf) return AsLeaf(part)->memory();
  size_t memory = UsableSize(part);
  for (const TrieChild& child : AsNode(part)->children()) memory += WholeMemory(child.part);
  return memory;
}

// The memory of the item at a rank: its share of each part on its path. The mean over ranks is
// exactly the mean over items, so a few ranks estimate the whole without bias.
double MemoryShare(const TriePart* root, size_t rank) {
  double share = 0;
  const TriePart* part = root;
  while (!part->is_leaf) {
    share += static_cast<double>(UsableSize(part)) / static_cast<double>(TrieItems(part));
    const TrieChild* child = AsNode(part)->children().data();
    for (; rank >= child->items; ++child) rank -= child->items;
    part = child->part;
  }
  const TrieLeaf* const leaf = AsLeaf(part);
  return share + static_cast<double>(leaf->memory()) / static_cast<double>(leaf->size());
}

}  // namespace

uint64_t SeededTrieHash(std::string_view field) { return HashText(field); }

std::optional<PackedItem> TrieView::Find(std::string_view field) const {
  const uint64_t hash = hash_(field);
  const uint64_t position = TriePosition(hash);
  const TriePart* part = root_;
  for (unsigned depth = 0; part != nullptr && !part->is_leaf; ++depth) {
    const TrieNode* const node = AsNode(part);
    part = node->children()[node->IndexOf(TrieSlot(position, depth))].part;
  }
  if (part == nullptr) return std::nullopt;
  return AsLeaf(part)->Find(TrieTag(hash), field);
}

void TrieView::ForEach(absl::FunctionRef<void(const Item&)> fn) const { VisitItems(root_, fn); }

uint64_t TrieView::Scan(uint64_t cursor, size_t count,
                        absl::FunctionRef<void(const Item&)> fn) const {
  constexpr uint64_t kEnd = uint64_t{1} << kTriePositionBits;
  size_t seen = 0;
  while (cursor < kEnd) {
    const Cover cover = Locate(root_, cursor);
    cursor = cover.end;
    if (cover.leaf == nullptr) continue;
    for (const PackedItem& item : cover.leaf->items()) fn(item);
    seen += cover.leaf->size();
    if (seen >= count) break;
  }
  return cursor < kEnd ? cursor : 0;
}

PackedItem TrieView::At(size_t rank) const {
  const TriePart* part = root_;
  while (!part->is_leaf) {
    const TrieChild* child = AsNode(part)->children().data();
    for (; rank >= child->items; ++child) rank -= child->items;
    part = child->part;
  }
  return AsLeaf(part)->items().At(rank);
}

void TrieView::ForEachExpired(int64_t now_ms, absl::FunctionRef<bool(const Item&)> fn) const {
  VisitExpired(root_, now_ms, fn);
}

size_t TrieView::MemoryUsage(size_t samples) const {
  const size_t items = size();
  if (samples == 0 || samples >= items) return WholeMemory(root_);
  double share = 0;
  for (size_t sample = 0; sample < samples; ++sample) {
    share += MemoryShare(root_, (2 * sample + 1) * items / (2 * samples));
  }
  return static_cast<size_t>(share / static_cast<double>(samples) * static_cast<double>(items));
}

}  // namespace cloakroom
