#include "storage/values/btree.h"

#include <algorithm>
#include <array>

namespace cloakroom {
namespace {

// Neighbours become one part if together they have at most half of what a part may have, so that
// erasing and inserting the same item does not merge and split each time.
constexpr unsigned kMergedChildren = kMaxBTreeChildren / 2;

}  // namespace

BTree BTree::Share() const {
  if (root_ != nullptr) root_->Ref();
  return BTree(root_, *format_);
}

BTreeChild BTree::ChildOf(BTreePart* part) const {
  BTreeChild child{.part = part, .items = BTreeItems(part)};
  if (!part->is_leaf) {
    child.key = static_cast<BTreeNode*>(part)->children()[0].key;
  } else if (format_->key != nullptr) {
    child.key = format_->key(static_cast<BTreeLeaf*>(part)->bytes());
  }
  return child;
}

bool BTree::Overfull(const BTreeLeaf& leaf) const {
  return leaf.items > 1 && (leaf.items > format_->max_items || leaf.size > format_->max_bytes);
}

bool BTree::IsSmall(const BTreeLeaf& leaf) const {
  return leaf.items <= format_->max_items / 2 && leaf.size <= format_->max_bytes / 2;
}

bool BTree::FitTogether(const BTreePart* a, const BTreePart* b) const {
  if (!a->is_leaf) {
    return static_cast<const BTreeNode*>(a)->count + static_cast<const BTreeNode*>(b)->count <=
           kMergedChildren;
  }
  if (format_->offset == nullptr && format_->append == nullptr) return false;
  const auto* left = static_cast<const BTreeLeaf*>(a);
  const auto* right = static_cast<const BTreeLeaf*>(b);
  return left->items + right->items <= format_->max_items / 2 &&
         left->size + right->size <= format_->max_bytes / 2;
}

void BTree::SetPart(BTreePlace& path, unsigned depth, BTreePart* part) {
  if (depth == 0) {
    root_ = part;
  } else {
    const BTreePlace::Step& parent = path.steps[depth - 1];
    parent.node->children()[parent.child].part = part;
  }
  if (depth < path.depth) {
    path.steps[depth].node = static_cast<BTreeNode*>(part);
  } else {
    path.leaf = static_cast<BTreeLeaf*>(part);
  }
}

void BTree::MakeNodesUnique(BTreePlace& path) {
  // From the root down: copying a node makes its children shared, and a child of a shared node is
  // shared whatever its own count is.
  for (unsigned depth = 0; depth < path.depth; ++depth) {
    BTreeNode* const node = path.steps[depth].node;
    if (node->unique()) continue;
    SetPart(path, depth, BTreeNode::Copy(node));
    UnrefBTree(node);
  }
}

void BTree::Refresh(BTreePlace& path, unsigned depth) {
  while (depth-- > 0) {
    const BTreePlace::Step& step = path.steps[depth];
    BTreeChild& child = step.node->children()[step.child];
    child = ChildOf(child.part);
  }
}

void BTree::Edit(const BTreePlace& place, absl::FunctionRef<void(BTreeLeafEditor&)> change) {
  BTreePlace path = place;
  MakeNodesUnique(path);
  if (path.leaf == nullptr) {
    SetPart(path, 0, BTreeLeaf::Create({}, 0));
  } else if (!path.leaf->unique()) {
    BTreeLeaf* const shared = path.leaf;
    SetPart(path, path.depth, BTreeLeaf::Create(shared->bytes(), shared->items));
    UnrefBTree(shared);
  }
  BTreeLeafEditor editor(path.leaf);
  const size_t old_size = editor.size();
  change(editor);
  SetPart(path, path.depth, editor.leaf());
  if (path.leaf->items == 0) return RemoveLeaf(path);
  Refresh(path, path.depth);
  if (!Overfull(*path.leaf)) {
    if (path.leaf->size < old_size && IsSmall(*path.leaf)) MergeUpwards(path);
    return;
  }
  // A sequence that grows at one end gets full leaves, not half-full ones.
  const bool first = path.before == 0;
  const bool last = path.before + path.items() == size();
  const size_t cut = last && editor.last_change() == BTreeLeafEditor::Place::kEnd ? path.items() - 1
                     : first && editor.last_change() == BTreeLeafEditor::Place::kFront
                         ? 1
                         : MiddleOf(*path.leaf);
  SplitLeaf(path, cut);
}

size_t BTree::MiddleOf(const BTreeLeaf& leaf) const {
  if (format_->offset == nullptr) return leaf.items / 2;
  size_t low = 1;
  size_t high = leaf.items - 1;
  while (low < high) {
    const size_t index = (low + high) / 2;
    if (format_->offset(leaf.bytes(), index) < leaf.size / 2) {
      low = index + 1;
    } else {
      high = index;
    }
  }
  return low;
}

void BTree::EraseItems(BTreeLeafEditor& leaf, size_t first, size_t count) const {
  if (format_->erase != nullptr) {
    format_->erase(leaf, first, count);
  } else {
    const size_t from = format_->offset(leaf.bytes(), first);
    leaf.Splice(from, format_->offset(leaf.bytes(), first + count) - from, 0);
  }
  leaf.set_items(leaf.items() - count);
}

void BTree::SplitLeaf(BTreePlace& path, size_t cut) {
  const size_t start = path.before;
  const size_t items = path.items();
  BTreeLeafEditor behind(BTreeLeaf::Create(path.bytes(), items));
  EraseItems(behind, 0, cut);
  BTreeLeafEditor editor(path.leaf);
  EraseItems(editor, cut, items - cut);
  SetPart(path, path.depth, editor.leaf());
  Refresh(path, path.depth);
  Insert(path, path.depth, behind.leaf(), Side::kBehind);
  for (const size_t index : {start + cut, start}) {
    BTreePlace half = view().At(index);
    if (Overfull(*half.leaf)) SplitLeaf(half, MiddleOf(*half.leaf));
  }
}

void BTree::Insert(BTreePlace& path, unsigned depth, BTreePart* part, Side side) {
  const unsigned shift = side == Side::kBehind ? 1 : 0;
  if (depth == 0) {
    std::array<BTreeChild, 2> children = {ChildOf(root_), ChildOf(root_)};
    children[shift] = ChildOf(part);
    root_ = BTreeNode::Create(children);
    return;
  }
  BTreePlace::Step& step = path.steps[depth - 1];
  unsigned index = step.child + shift;
  if (step.node->count < kMaxBTreeChildren) {
    SetPart(path, depth - 1, BTreeNode::Insert(step.node, index, ChildOf(part)));
    return Refresh(path, depth - 1);
  }
  // A node that grows at one end leaves a full one behind.
  const unsigned cut = index == kMaxBTreeChildren ? kMaxBTreeChildren - 1
                       : index == 0               ? 1
                                                  : kMaxBTreeChildren / 2;
  BTreeNode* behind = step.node->SplitOff(cut);
  if (index <= cut && index < kMaxBTreeChildren) {
    SetPart(path, depth - 1, BTreeNode::Insert(step.node, index, ChildOf(part)));
  } else {
    behind = BTreeNode::Insert(behind, index - cut, ChildOf(part));
  }
  Refresh(path, depth - 1);
  Insert(path, depth - 1, behind, Side::kBehind);
}

void BTree::RemoveLeaf(BTreePlace& path) {
  UnrefBTree(path.leaf);
  unsigned depth = path.depth;
  for (; depth > 0; --depth) {
    const BTreePlace::Step& step = path.steps[depth - 1];
    step.node->Erase(step.child);
    if (step.node->count > 0) break;
    BTreeNode::Free(step.node);
  }
  if (depth == 0) {
    root_ = nullptr;
    return;
  }
  Refresh(path, depth - 1);
  path.depth = depth;
  BTreePlace::Step& step = path.steps[depth - 1];
  step.child = std::min<unsigned>(step.child, step.node->count - 1);
  MergeUpwards(path);
}

void BTree::MergeUpwards(BTreePlace& path) {
  for (unsigned depth = path.depth; depth > 0; --depth) {
    const BTreePlace::Step& step = path.steps[depth - 1];
    for (const unsigned left : {step.child, step.child - 1}) {
      if (left >= step.node->count - 1u) continue;  // Also for -1, which is far above.
      BTreeChild& low = step.node->children()[left];
      BTreeChild& high = step.node->children()[left + 1];
      if (!FitTogether(low.part, high.part)) continue;
      low = ChildOf(Merged(low.part, high.part));
      step.node->Erase(left + 1);
      break;
    }
  }
  CollapseRoot();
}

BTreePart* BTree::Merged(BTreePart* left, BTreePart* right) {
  BTreePart* merged = nullptr;
  if (left->is_leaf) {
    const auto* low = static_cast<BTreeLeaf*>(left);
    const auto* high = static_cast<BTreeLeaf*>(right);
    BTreeLeaf* const leaf = BTreeLeaf::Create(low->bytes(), low->items + high->items);
    BTreeLeafEditor editor(leaf);
    if (format_->append != nullptr) {
      format_->append(editor, high->bytes());
    } else {
      std::ranges::copy(high->bytes(), editor.Splice(low->size, 0, high->size));
    }
    merged = editor.leaf();
  } else {
    BTreeNode* node = BTreeNode::Copy(static_cast<BTreeNode*>(left));
    for (const BTreeChild& child : static_cast<BTreeNode*>(right)->children()) {
      child.part->Ref();
      node = BTreeNode::Insert(node, node->count, child);
    }
    merged = node;
  }
  UnrefBTree(left);
  UnrefBTree(right);
  return merged;
}

void BTree::CollapseRoot() {
  while (!root_->is_leaf && static_cast<BTreeNode*>(root_)->count == 1) {
    BTreeNode* const node = static_cast<BTreeNode*>(root_);
    root_ = node->children()[0].part;
    root_->Ref();
    UnrefBTree(node);
  }
}

void BTree::PrependLeaf(std::string_view bytes, size_t items) {
  BTreeLeaf* const leaf = BTreeLeaf::Create(bytes, items);
  if (root_ == nullptr) {
    root_ = leaf;
    return;
  }
  BTreePlace path = view().First();
  MakeNodesUnique(path);
  Insert(path, path.depth, leaf, Side::kBefore);
}

void BTree::AppendLeaf(std::string_view bytes, size_t items) {
  BTreeLeaf* const leaf = BTreeLeaf::Create(bytes, items);
  if (root_ == nullptr) {
    root_ = leaf;
    return;
  }
  BTreePlace path = view().Last();
  MakeNodesUnique(path);
  Insert(path, path.depth, leaf, Side::kBehind);
}

void BTree::Erase(size_t first, size_t count) {
  while (count > 0) {
    BTreePlace place = view().At(first);
    const size_t skipped = first - place.before;
    const size_t erased = std::min(count, place.items() - skipped);
    count -= erased;
    if (erased == place.items()) {
      MakeNodesUnique(place);
      RemoveLeaf(place);
      continue;
    }
    Edit(place, [&](BTreeLeafEditor& editor) { EraseItems(editor, skipped, erased); });
  }
}

}  // namespace cloakroom
