#include "storage/values/items.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "storage/base/unaligned.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/packed.h"
#include "storage/values/trie.h"

namespace cloakroom {
namespace {

TriePart* LoadTrieRoot(std::string_view payload) {
  return LoadUnaligned<TriePart*>(payload.data());
}

TrieView TrieOf(std::string_view payload) {
  return TrieView(payload.empty() ? nullptr : LoadTrieRoot(payload));
}

// Takes the trie out of its slot for a change, and puts its new root back.
template <typename Change>
bool ChangeTrie(ValueSlot& slot, bool has_values, Change change) {
  Trie trie(LoadTrieRoot(slot.bytes()), has_values);
  const bool result = change(trie);
  TriePart* const root = trie.Release();
  if (root == nullptr) {
    slot.Remove();
  } else {
    StoreUnaligned(slot.data(), root);
  }
  return result;
}

// The live item that `rank` live ones precede. REQUIRES: there is one.
PackedItem LiveItemAt(const PackedView& block, size_t rank, int64_t now_ms) {
  for (const PackedItem& item : block) {
    if (!item.ExpiredAt(now_ms) && rank-- == 0) return item;
  }
  return {};
}

}  // namespace

size_t Items::size() const {
  if (payload_.empty()) return 0;
  return is_trie() ? TrieOf(payload_).size() : PackedView(payload_).size();
}

size_t Items::LiveSize(int64_t now_ms) const {
  if (MinExpiry() > now_ms) return size();
  size_t live = size();
  if (is_trie()) {
    TrieOf(payload_).ForEachExpired(now_ms, [&](const Item&) {
      --live;
      return true;
    });
    return live;
  }
  for (const PackedItem& item : PackedView(payload_)) live -= item.ExpiredAt(now_ms);
  return live;
}

int64_t Items::MinExpiry() const {
  if (payload_.empty()) return kNever;
  return is_trie() ? TrieOf(payload_).MinExpiry() : PackedView(payload_).MinExpiry();
}

std::optional<Item> Items::Find(std::string_view field) const {
  if (payload_.empty()) return std::nullopt;
  return is_trie() ? TrieOf(payload_).Find(field) : PackedView(payload_).Find(field);
}

void Items::ForEach(absl::FunctionRef<void(const Item&)> fn) const {
  if (payload_.empty()) return;
  if (is_trie()) return TrieOf(payload_).ForEach(fn);
  for (const PackedItem& item : PackedView(payload_)) fn(item);
}

uint64_t Items::Scan(uint64_t cursor, size_t count, absl::FunctionRef<void(const Item&)> fn) const {
  if (is_trie()) return TrieOf(payload_).Scan(cursor, count, fn);
  ForEach(fn);
  return 0;
}

Item Items::At(size_t rank) const {
  return is_trie() ? TrieOf(payload_).At(rank) : PackedView(payload_).At(rank);
}

std::optional<Item> Items::Random(absl::BitGenRef rng, int64_t now_ms) const {
  const size_t live = LiveSize(now_ms);
  if (live == 0) return std::nullopt;
  if (live == size()) return At(absl::Uniform<size_t>(rng, 0, live));
  if (!is_trie()) {
    return LiveItemAt(PackedView(payload_), absl::Uniform<size_t>(rng, 0, live), now_ms);
  }
  // Expired items are removed within a second, so nearly every try finds a live one.
  constexpr int kTries = 100;
  for (int tries = 0; tries < kTries; ++tries) {
    const Item item = At(absl::Uniform<size_t>(rng, 0, size()));
    if (!item.ExpiredAt(now_ms)) return item;
  }
  return FirstLiveFrom(rng(), now_ms);
}

// For a trie in which nearly all items have just expired: the first live item behind a random
// place.
std::optional<Item> Items::FirstLiveFrom(uint64_t place, int64_t now_ms) const {
  std::optional<Item> first;
  uint64_t cursor = TriePosition(place);
  while (!first) {
    cursor = Scan(cursor, 1, [&](const Item& item) {
      if (!first && !item.ExpiredAt(now_ms)) first = item;
    });
  }
  return first;
}

Items MutableItems::view() const {
  return slot_.exists() ? Items(slot_.encoding(), slot_.bytes()) : Items(Encoding::kPacked, {});
}

bool MutableItems::Put(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  if (slot_.exists() && is_trie()) {
    return ChangeTrie(slot_, has_values_,
                      [&](Trie& trie) { return trie.Put(field, value, expires_at_ms); });
  }
  const bool created = PutPacked(field, value, expires_at_ms);
  const bool too_many = PackedView(slot_.bytes()).size() > max_packed_items_;
  if (too_many || slot_.size() > kMaxPackedBytes) BecomeTrie();
  return created;
}

bool MutableItems::PutPacked(std::string_view field, std::string_view value,
                             int64_t expires_at_ms) {
  if (!slot_.exists()) {
    slot_.Create(type_, Encoding::kPacked);
    PackedBlock::Init(slot_, has_values_);
  }
  PackedBlock block(slot_);
  const std::optional<PackedItem> found = block.view().Find(field);
  if (!found) {
    block.Append(field, value, expires_at_ms);
    return true;
  }
  if (!has_values_) return false;
  block.SetValue(*found, value);
  if (found->expires_at_ms != expires_at_ms) {
    block.SetExpiry(*block.view().Find(field), expires_at_ms);
  }
  return false;
}

void MutableItems::BecomeTrie() {
  Trie trie(has_values_);
  trie.Adopt(PackedView(slot_.bytes()));
  slot_.set_encoding(Encoding::kTrie);
  StoreUnaligned(slot_.Splice(0, slot_.size(), sizeof(TriePart*)), trie.Release());
}

bool MutableItems::Erase(std::string_view field) {
  if (!slot_.exists()) return false;
  if (is_trie()) {
    return ChangeTrie(slot_, has_values_, [&](Trie& trie) { return trie.Erase(field); });
  }
  PackedBlock block(slot_);
  const std::optional<PackedItem> found = block.view().Find(field);
  if (!found) return false;
  block.Erase(*found);
  if (block.view().size() == 0) slot_.Remove();
  return true;
}

bool MutableItems::SetExpiry(std::string_view field, int64_t expires_at_ms) {
  if (!slot_.exists()) return false;
  if (is_trie()) {
    return ChangeTrie(slot_, has_values_,
                      [&](Trie& trie) { return trie.SetExpiry(field, expires_at_ms); });
  }
  PackedBlock block(slot_);
  const std::optional<PackedItem> found = block.view().Find(field);
  if (!found) return false;
  block.SetExpiry(*found, expires_at_ms);
  return true;
}

size_t MutableItems::EraseExpired(int64_t now_ms, size_t limit,
                                  absl::FunctionRef<void(std::string_view)> on_erase) {
  if (view().MinExpiry() > now_ms) return 0;
  // Copies, because erasing moves the rest.
  std::vector<std::string> expired;
  const auto collect = [&](const Item& item) {
    if (expired.size() < limit) expired.emplace_back(item.field);
    return expired.size() < limit;
  };
  if (is_trie()) {
    TrieOf(slot_.bytes()).ForEachExpired(now_ms, collect);
  } else {
    for (const PackedItem& item : PackedView(slot_.bytes())) {
      if (item.ExpiredAt(now_ms)) collect(item);
    }
  }
  for (const std::string& field : expired) {
    on_erase(field);
    Erase(field);
  }
  return expired.size();
}

void ReleaseItems(const ValueView& value) {
  if (value.encoding == Encoding::kTrie) return UnrefTrie(LoadTrieRoot(value.payload));
  PackedView(value.payload).UnrefBlobs();
}

size_t ItemsReleaseCost(const ValueView& value) {
  // Estimates the cost of freeing a trie from its size: counting its leaves would cost as much.
  constexpr size_t kTypicalLeafItems = kMaxLeafItems / 2;
  if (value.encoding != Encoding::kTrie) return PackedView(value.payload).BlobCount();
  const TriePart* const root = LoadTrieRoot(value.payload);
  return root->unique() ? 1 + TrieItems(root) / kTypicalLeafItems : 1;
}

void ShareItems(const ValueView& value) {
  if (value.encoding == Encoding::kTrie) return LoadTrieRoot(value.payload)->Ref();
  PackedView(value.payload).RefBlobs();
}

size_t ItemsMemory(const ValueView& value, size_t samples) {
  if (value.encoding != Encoding::kTrie) return PackedView(value.payload).BlobMemory();
  return TrieView(LoadTrieRoot(value.payload)).MemoryUsage(samples);
}

}  // namespace cloakroom
