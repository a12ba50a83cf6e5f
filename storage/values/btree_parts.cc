#include "storage/values/btree_parts.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "storage/base/allocate.h"

namespace cloakroom {

static_assert(sizeof(BTreeNode) % alignof(BTreeChild) == 0);

BTreeLeaf* BTreeLeaf::Allocate(size_t capacity_bytes) {
  void* const memory = cloakroom::Allocate(sizeof(BTreeLeaf) + capacity_bytes);
  return new (memory) BTreeLeaf(UsableSize(memory) - sizeof(BTreeLeaf));
}

BTreeLeaf* BTreeLeaf::Create(std::string_view bytes, size_t items) {
  BTreeLeaf* const leaf = Allocate(bytes.size());
  leaf->items = static_cast<uint32_t>(items);
  leaf->size = static_cast<uint32_t>(bytes.size());
  std::ranges::copy(bytes, leaf->data());
  return leaf;
}

void BTreeLeaf::Free(BTreeLeaf* leaf) {
  leaf->~BTreeLeaf();
  Deallocate(leaf);
}

size_t BTreeLeaf::memory() const { return UsableSize(this); }

char* BTreeLeafEditor::Splice(size_t offset, size_t erase, size_t insert) {
  const size_t new_size = leaf_->size - erase + insert;
  if (new_size > leaf_->capacity) Reallocate(new_size);
  char* const at = data() + offset;
  std::memmove(at + insert, at + erase, leaf_->size - offset - erase);
  leaf_->size = static_cast<uint32_t>(new_size);
  last_change_ = offset + insert == new_size ? Place::kEnd
                 : offset == 0               ? Place::kFront
                                             : Place::kMiddle;
  if (erase > insert) Trim();
  return data() + offset;
}

void BTreeLeafEditor::Trim() {
  // Size classes are a quarter to an eighth apart, so less slack is not worth a move.
  if (leaf_->size < leaf_->capacity - leaf_->capacity / 4) Reallocate(leaf_->size);
}

void BTreeLeafEditor::Reallocate(size_t capacity) {
  BTreeLeaf* const moved = BTreeLeaf::Allocate(capacity);
  moved->items = leaf_->items;
  moved->size = leaf_->size;
  std::memcpy(moved->data(), leaf_->data(), leaf_->size);
  BTreeLeaf::Free(leaf_);
  leaf_ = moved;
}

BTreeNode* BTreeNode::Allocate(size_t capacity) {
  void* const memory = cloakroom::Allocate(sizeof(BTreeNode) + capacity * sizeof(BTreeChild));
  BTreeNode* const node = new (memory) BTreeNode(static_cast<unsigned>(capacity));
  std::uninitialized_default_construct_n(node->first(), capacity);
  return node;
}

BTreeNode* BTreeNode::Create(std::span<const BTreeChild> children) {
  constexpr size_t kFewest = 4;
  BTreeNode* const node = Allocate(std::clamp<size_t>(children.size(), kFewest, kMaxBTreeChildren));
  std::ranges::copy(children, node->first());
  node->count = static_cast<uint8_t>(children.size());
  return node;
}

BTreeNode* BTreeNode::Copy(const BTreeNode* node) {
  for (const BTreeChild& child : node->children()) child.part->Ref();
  return Create(node->children());
}

void BTreeNode::Free(BTreeNode* node) {
  node->~BTreeNode();
  Deallocate(node);
}

BTreeNode* BTreeNode::Insert(BTreeNode* node, unsigned index, const BTreeChild& child) {
  if (node->count == node->capacity) {
    BTreeNode* const larger =
        Allocate(std::min<size_t>(size_t{node->capacity} * 2, kMaxBTreeChildren));
    std::ranges::copy(node->children(), larger->first());
    larger->count = node->count;
    Free(node);
    node = larger;
  }
  BTreeChild* const at = node->first() + index;
  std::copy_backward(at, node->first() + node->count, node->first() + node->count + 1);
  *at = child;
  node->count += 1;
  return node;
}

void BTreeNode::Erase(unsigned index) {
  BTreeChild* const at = first() + index;
  std::copy(at + 1, first() + count, at);
  count -= 1;
}

BTreeNode* BTreeNode::SplitOff(unsigned index) {
  BTreeNode* const behind = Create(children().subspan(index));
  count = static_cast<uint8_t>(index);
  return behind;
}

size_t BTreeNode::items() const {
  size_t sum = 0;
  for (const BTreeChild& child : children()) sum += child.items;
  return sum;
}

size_t BTreeItems(const BTreePart* part) {
  if (part == nullptr) return 0;
  return part->is_leaf ? static_cast<const BTreeLeaf*>(part)->items
                       : static_cast<const BTreeNode*>(part)->items();
}

void UnrefBTree(const BTreePart* part) {
  if (part == nullptr || !part->DropRef()) return;
  if (part->is_leaf) {
    return BTreeLeaf::Free(static_cast<BTreeLeaf*>(const_cast<BTreePart*>(part)));
  }
  BTreeNode* const node = static_cast<BTreeNode*>(const_cast<BTreePart*>(part));
  for (const BTreeChild& child : node->children()) UnrefBTree(child.part);
  BTreeNode::Free(node);
}

}  // namespace cloakroom
