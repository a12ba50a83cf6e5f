#include "storage/values/btree_view.h"

#include <algorithm>
#include <span>

#include "storage/base/allocate.h"

namespace cloakroom {
namespace {

const BTreeLeaf& FirstLeaf(const BTreePart* part) {
  while (!part->is_leaf) part = static_cast<const BTreeNode*>(part)->children()[0].part;
  return *static_cast<const BTreeLeaf*>(part);
}

/// Continues a path from `part` down to its first leaf, or to its last.
void DescendToEdge(BTreePlace& place, BTreePart* part, bool last) {
  while (!part->is_leaf) {
    BTreeNode* const node = static_cast<BTreeNode*>(part);
    const unsigned child = last ? node->count - 1u : 0u;
    place.steps[place.depth++] = {node, child};
    part = node->children()[child].part;
  }
  place.leaf = static_cast<BTreeLeaf*>(part);
}

/// Calls `fn` with every part.
void Walk(const BTreePart* part, absl::FunctionRef<void(const BTreePart&)> fn) {
  if (part == nullptr) return;
  fn(*part);
  if (part->is_leaf) return;
  for (const BTreeChild& child : static_cast<const BTreeNode*>(part)->children()) {
    Walk(child.part, fn);
  }
}

}  // namespace

bool BTreePlace::Next() {
  for (unsigned level = depth; level-- > 0;) {
    const Step step = steps[level];
    if (step.child + 1 == step.node->count) continue;
    before += leaf->items;
    steps[level].child += 1;
    depth = level + 1;
    DescendToEdge(*this, step.node->children()[step.child + 1].part, /*last=*/false);
    return true;
  }
  return false;
}

bool BTreePlace::Previous() {
  for (unsigned level = depth; level-- > 0;) {
    const Step step = steps[level];
    if (step.child == 0) continue;
    steps[level].child -= 1;
    depth = level + 1;
    DescendToEdge(*this, step.node->children()[step.child - 1].part, /*last=*/true);
    before -= leaf->items;
    return true;
  }
  return false;
}

BTreePlace BTreeView::Descend(absl::FunctionRef<unsigned(const BTreeNode&)> choose) const {
  BTreePlace place;
  BTreePart* part = const_cast<BTreePart*>(root_);
  if (part == nullptr) return place;
  while (!part->is_leaf) {
    BTreeNode* const node = static_cast<BTreeNode*>(part);
    const unsigned child = choose(*node);
    for (const BTreeChild& skipped : node->children().first(child)) place.before += skipped.items;
    place.steps[place.depth++] = {node, child};
    part = node->children()[child].part;
  }
  place.leaf = static_cast<BTreeLeaf*>(part);
  return place;
}

BTreePlace BTreeView::First() const {
  BTreePlace place;
  if (root_ != nullptr) DescendToEdge(place, const_cast<BTreePart*>(root_), /*last=*/false);
  return place;
}

BTreePlace BTreeView::At(size_t index) const {
  return Descend([&](const BTreeNode& node) {
    unsigned child = 0;
    for (; child + 1 < node.count && index >= node.children()[child].items; ++child) {
      index -= node.children()[child].items;
    }
    return child;
  });
}

BTreePlace BTreeView::Seek(uint64_t key,
                           absl::FunctionRef<bool(std::string_view leaf)> is_behind) const {
  return Descend([&](const BTreeNode& node) {
    const std::span<const BTreeChild> children = node.children();
    const auto behind = std::ranges::partition_point(children, [&](const BTreeChild& child) {
      if (child.key != key) return child.key < key;
      return !is_behind(FirstLeaf(child.part).bytes());
    });
    return behind == children.begin() ? 0u : static_cast<unsigned>(behind - children.begin()) - 1;
  });
}

void BTreeView::ForEachLeaf(
    absl::FunctionRef<void(std::string_view bytes, size_t items)> fn) const {
  Walk(root_, [&](const BTreePart& part) {
    if (!part.is_leaf) return;
    const auto& leaf = static_cast<const BTreeLeaf&>(part);
    fn(leaf.bytes(), leaf.items);
  });
}

size_t BTreeView::Memory(size_t samples) const {
  size_t nodes = 0;
  size_t leaves = 0;
  size_t measured = 0;
  size_t measured_bytes = 0;
  Walk(root_, [&](const BTreePart& part) {
    if (!part.is_leaf) {
      nodes += UsableSize(&part);
      return;
    }
    leaves += 1;
    if (samples != 0 && measured == samples) return;
    measured += 1;
    measured_bytes += static_cast<const BTreeLeaf&>(part).memory();
  });
  return measured == 0 ? 0 : nodes + measured_bytes * leaves / measured;
}

size_t BTreeView::PartCount() const {
  size_t parts = 0;
  Walk(root_, [&](const BTreePart&) { parts += 1; });
  return parts;
}

}  // namespace cloakroom
