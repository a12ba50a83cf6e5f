#include "storage/values/trie.h"

#include <algorithm>

namespace cloakroom {
namespace {

TrieChild ChildOf(TrieLeaf* leaf) { return {leaf, leaf == nullptr ? 0 : leaf->size()}; }

// Hands the leaf over to its parent; frees an empty one and leaves its run empty.
TrieChild ChildOrNothing(TrieLeaf* leaf) {
  if (leaf->size() > 0) return ChildOf(leaf);
  TrieLeaf::Free(leaf);
  return {};
}

// Appends all items of `from` and drops the caller's reference to it.
void MoveAll(TrieLeafEditor& to, TrieLeaf* from) {
  for (const PackedItem& item : from->items()) {
    to.AppendMoved(from->tag(item.index), from->items(), item);
  }
  if (from->unique()) return TrieLeaf::FreeKeepingBlobs(from);
  from->items().RefBlobs();
  UnrefTrie(from);
}

bool FitTogether(const TriePart* a, const TriePart* b) {
  size_t items = 0;
  size_t bytes = 0;
  for (const TriePart* part : {a, b}) {
    if (part == nullptr) continue;
    if (!part->is_leaf) return false;
    items += static_cast<const TrieLeaf*>(part)->size();
    bytes += static_cast<const TrieLeaf*>(part)->byte_size();
  }
  return items <= kMergedLeafItems && (bytes <= kMergedLeafBytes || items <= 1);
}

TrieChild MergeLeaves(TrieChild low, TrieChild high, bool has_values) {
  if (low.part == nullptr) return high;
  if (high.part == nullptr) return low;
  const size_t size = static_cast<TrieLeaf*>(low.part)->byte_size() +
                      static_cast<TrieLeaf*>(high.part)->byte_size();
  TrieLeafEditor merged(TrieLeaf::Create(has_values, size));
  MoveAll(merged, static_cast<TrieLeaf*>(low.part));
  MoveAll(merged, static_cast<TrieLeaf*>(high.part));
  return ChildOf(merged.leaf());
}

}  // namespace

Trie Trie::Share() const {
  if (root_ != nullptr) root_->Ref();
  return Trie(root_, has_values_, hash_);
}

Trie::Path Trie::Descend(uint64_t hash) const {
  const uint64_t position = TriePosition(hash);
  Path path;
  TriePart* part = root_;
  while (part != nullptr && !part->is_leaf) {
    TrieNode* const node = static_cast<TrieNode*>(part);
    const unsigned child = node->IndexOf(TrieSlot(position, path.depth));
    path.steps[path.depth++] = {node, child};
    part = node->children()[child].part;
  }
  path.leaf = static_cast<TrieLeaf*>(part);
  return path;
}

void Trie::SetPart(Path& path, unsigned depth, TriePart* part) {
  if (depth == 0) {
    root_ = part;
  } else {
    const Step& parent = path.steps[depth - 1];
    parent.node->children()[parent.child].part = part;
  }
  if (depth < path.depth) path.steps[depth].node = static_cast<TrieNode*>(part);
}

void Trie::SetLeaf(Path& path, TrieLeaf* leaf) {
  path.leaf = leaf;
  SetPart(path, path.depth, leaf);
}

void Trie::MakeUnique(Path& path) {
  // From the root down: copying a node makes its children shared, and a child of a shared node is
  // shared whatever its own count is.
  for (unsigned depth = 0; depth < path.depth; ++depth) {
    TrieNode* const node = path.steps[depth].node;
    if (node->unique()) continue;
    SetPart(path, depth, TrieNode::Copy(node));
    UnrefTrie(node);
  }
  TrieLeaf* const leaf = path.leaf;
  if (leaf == nullptr || leaf->unique()) return;
  SetLeaf(path, TrieLeaf::Copy(leaf));
  UnrefTrie(leaf);
}

void Trie::AddToCounts(Path& path, int change) {
  for (const Step& step : std::span(path.steps, path.depth)) {
    step.node->children()[step.child].items += static_cast<size_t>(change);
  }
}

bool Trie::Put(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  const uint64_t hash = hash_(field);
  Path path = Descend(hash);
  const bool found = path.leaf != nullptr && path.leaf->Find(TrieTag(hash), field).has_value();
  if (found && !has_values_) return false;
  MakeUnique(path);
  if (!found) {
    Insert(path, expires_at_ms, [&](TrieLeafEditor& editor) {
      editor.Append(TrieTag(hash), field, value, expires_at_ms);
    });
    return true;
  }
  TrieLeafEditor editor(path.leaf);
  const PackedItem item = *path.leaf->Find(TrieTag(hash), field);
  editor.SetValue(item, value);
  const bool retime = item.expires_at_ms != expires_at_ms;
  if (retime) editor.SetExpiry(*editor.leaf()->Find(TrieTag(hash), field), expires_at_ms);
  SetLeaf(path, editor.leaf());
  if (retime) RefreshExpiry(path);
  if (Overfull(path)) SplitLeaf(path);
  return false;
}

void Trie::Adopt(const PackedView& block) {
  for (const PackedItem& item : block) {
    const uint64_t hash = hash_(item.field);
    Path path = Descend(hash);
    MakeUnique(path);
    Insert(path, item.expires_at_ms,
           [&](TrieLeafEditor& editor) { editor.AppendMoved(TrieTag(hash), block, item); });
  }
}

void Trie::Insert(Path& path, int64_t expires_at_ms,
                  absl::FunctionRef<void(TrieLeafEditor&)> append) {
  TrieLeafEditor editor(path.leaf != nullptr ? path.leaf : TrieLeaf::Create(has_values_));
  append(editor);
  SetLeaf(path, editor.leaf());
  AddToCounts(path, 1);
  for (const Step& step : std::span(path.steps, path.depth)) {
    step.node->min_expiry_ms = std::min(step.node->min_expiry_ms, expires_at_ms);
  }
  if (Overfull(path)) SplitLeaf(path);
}

bool Trie::Overfull(const Path& path) const {
  const size_t items = path.leaf->size();
  return items > kMaxLeafItems || (path.leaf->byte_size() > kMaxLeafBytes && items > 1);
}

void Trie::SplitLeaf(Path& path) {
  while (path.leaf != nullptr && Overfull(path)) {
    const bool one_slot = path.depth == 0 || path.steps[path.depth - 1].node->Width(
                                                 path.steps[path.depth - 1].child) == 1;
    if (one_slot) {
      if (path.depth == kMaxTrieDepth) return;  // Equal hashes: nothing separates them.
      TrieNode* const node = TrieNode::Create(ChildOf(path.leaf));
      SetPart(path, path.depth, node);
      path.steps[path.depth++] = {node, 0};
    }
    HalveRun(path);
  }
}

// Splits the leaf in two by the next bit of the hash; the path continues to the larger half.
void Trie::HalveRun(Path& path) {
  const unsigned depth = path.depth - 1;
  Step& step = path.steps[depth];
  const unsigned half = step.node->Width(step.child) / 2;
  const size_t reserve = path.leaf->byte_size() * 9 / 16;
  TrieLeafEditor low(TrieLeaf::Create(has_values_, reserve));
  TrieLeafEditor high(TrieLeaf::Create(has_values_, reserve));
  for (const PackedItem& item : path.leaf->items()) {
    const unsigned slot = TrieSlot(TriePosition(hash_(item.field)), depth);
    ((slot & half) != 0 ? high : low)
        .AppendMoved(path.leaf->tag(item.index), path.leaf->items(), item);
  }
  low.Trim();
  high.Trim();
  TrieLeaf::FreeKeepingBlobs(path.leaf);
  const bool go_low = low.leaf()->byte_size() >= high.leaf()->byte_size();
  TrieNode* const node = TrieNode::Split(step.node, step.child, ChildOrNothing(low.leaf()),
                                         ChildOrNothing(high.leaf()));
  SetPart(path, depth, node);
  if (!go_low) ++step.child;
  path.leaf = static_cast<TrieLeaf*>(node->children()[step.child].part);
}

bool Trie::Erase(std::string_view field) {
  const uint64_t hash = hash_(field);
  Path path = Descend(hash);
  if (path.leaf == nullptr || !path.leaf->Find(TrieTag(hash), field)) return false;
  MakeUnique(path);
  TrieLeafEditor editor(path.leaf);
  const PackedItem item = *path.leaf->Find(TrieTag(hash), field);
  const bool had_expiry = item.expires_at_ms != kNever;
  editor.Erase(item);
  SetLeaf(path, static_cast<TrieLeaf*>(ChildOrNothing(editor.leaf()).part));
  AddToCounts(path, -1);
  if (had_expiry) RefreshExpiry(path);
  while (path.depth > 0 && MergeRun(path)) {
  }
  return true;
}

// Merges the path's leaf with the other half of its run, or the node with its only child. Returns
// whether there was something to merge; the path then ends at the merged leaf.
bool Trie::MergeRun(Path& path) {
  Step& step = path.steps[path.depth - 1];
  const unsigned width = step.node->Width(step.child);
  if (width == TrieNode::kSlots) {
    CollapseNode(path);
    return true;
  }
  const unsigned buddy = step.node->IndexOf(step.node->Start(step.child) ^ width);
  if (step.node->Width(buddy) != width) return false;
  const unsigned low = std::min(step.child, buddy);
  const auto children = step.node->children();
  if (!FitTogether(children[low].part, children[low + 1].part)) return false;
  const TrieChild merged = MergeLeaves(children[low], children[low + 1], has_values_);
  TrieNode* const node = TrieNode::Merge(step.node, low, merged);
  step.child = low;
  SetPart(path, path.depth - 1, node);
  path.leaf = static_cast<TrieLeaf*>(merged.part);
  return true;
}

// A node whose only child is a leaf, or null, hands it to its own parent.
void Trie::CollapseNode(Path& path) {
  TrieNode* const node = path.steps[path.depth - 1].node;
  path.depth -= 1;
  SetPart(path, path.depth, node->children()[0].part);
  TrieNode::Free(node);
}

bool Trie::SetExpiry(std::string_view field, int64_t expires_at_ms) {
  const uint64_t hash = hash_(field);
  Path path = Descend(hash);
  if (path.leaf == nullptr || !path.leaf->Find(TrieTag(hash), field)) return false;
  MakeUnique(path);
  TrieLeafEditor editor(path.leaf);
  editor.SetExpiry(*path.leaf->Find(TrieTag(hash), field), expires_at_ms);
  SetLeaf(path, editor.leaf());
  RefreshExpiry(path);
  if (Overfull(path)) SplitLeaf(path);
  return true;
}

void Trie::RefreshExpiry(Path& path) {
  for (unsigned depth = path.depth; depth-- > 0;) {
    TrieNode* const node = path.steps[depth].node;
    int64_t earliest = kNever;
    for (const TrieChild& child : node->children()) {
      earliest = std::min(earliest, TrieMinExpiry(child.part));
    }
    if (earliest == node->min_expiry_ms) return;
    node->min_expiry_ms = earliest;
  }
}

}  // namespace cloakroom
