#include "storage/values/trie_node.h"

#include <algorithm>
#include <memory>
#include <new>

#include "storage/base/allocate.h"

namespace cloakroom {

static_assert(sizeof(TrieNode) % alignof(TrieChild) == 0);

TrieNode* TrieNode::Allocate(uint32_t run_starts) {
  const auto children = static_cast<size_t>(std::popcount(run_starts));
  void* const memory = cloakroom::Allocate(sizeof(TrieNode) + children * sizeof(TrieChild));
  TrieNode* const node = new (memory) TrieNode(run_starts);
  std::uninitialized_default_construct_n(node->first(), children);
  return node;
}

TrieNode* TrieNode::Create(TrieChild child) {
  TrieNode* const node = Allocate(1);
  node->children()[0] = child;
  node->min_expiry_ms = TrieMinExpiry(child.part);
  return node;
}

TrieNode* TrieNode::Copy(const TrieNode* node) {
  TrieNode* const copy = Allocate(node->starts);
  copy->min_expiry_ms = node->min_expiry_ms;
  std::ranges::copy(node->children(), copy->first());
  for (const TrieChild& child : copy->children()) {
    if (child.part != nullptr) child.part->Ref();
  }
  return copy;
}

void TrieNode::Free(TrieNode* node) {
  node->~TrieNode();
  Deallocate(node);
}

TrieNode* TrieNode::Split(TrieNode* node, unsigned index, TrieChild low, TrieChild high) {
  const uint32_t middle = node->Start(index) + node->Width(index) / 2;
  TrieNode* const split = Allocate(node->starts | 1u << middle);
  split->min_expiry_ms = node->min_expiry_ms;
  const auto old = node->children();
  TrieChild* to = std::copy_n(old.begin(), index, split->first());
  *to++ = low;
  *to++ = high;
  std::ranges::copy(old.subspan(index + 1), to);
  Free(node);
  return split;
}

TrieNode* TrieNode::Merge(TrieNode* node, unsigned index, TrieChild merged) {
  TrieNode* const shrunk = Allocate(node->starts & ~(1u << node->Start(index + 1)));
  shrunk->min_expiry_ms = node->min_expiry_ms;
  const auto old = node->children();
  TrieChild* to = std::copy_n(old.begin(), index, shrunk->first());
  *to++ = merged;
  std::ranges::copy(old.subspan(index + 2), to);
  Free(node);
  return shrunk;
}

unsigned TrieNode::Start(unsigned index) const {
  uint32_t rest = starts;
  for (unsigned skipped = 0; skipped < index; ++skipped) rest &= rest - 1;
  return static_cast<unsigned>(std::countr_zero(rest));
}

unsigned TrieNode::Width(unsigned index) const {
  const unsigned start = Start(index);
  const uint32_t behind = starts & ~((2u << start) - 1);
  return (behind == 0 ? kSlots : static_cast<unsigned>(std::countr_zero(behind))) - start;
}

size_t TrieNode::items() const {
  size_t total = 0;
  for (const TrieChild& child : children()) total += child.items;
  return total;
}

size_t TrieItems(const TriePart* part) {
  if (part == nullptr) return 0;
  return part->is_leaf ? static_cast<const TrieLeaf*>(part)->size()
                       : static_cast<const TrieNode*>(part)->items();
}

int64_t TrieMinExpiry(const TriePart* part) {
  if (part == nullptr) return kNever;
  return part->is_leaf ? static_cast<const TrieLeaf*>(part)->items().MinExpiry()
                       : static_cast<const TrieNode*>(part)->min_expiry_ms;
}

void UnrefTrie(const TriePart* part) {
  if (part == nullptr || !part->DropRef()) return;
  TriePart* const own = const_cast<TriePart*>(part);
  if (own->is_leaf) return TrieLeaf::Free(static_cast<TrieLeaf*>(own));
  TrieNode* const node = static_cast<TrieNode*>(own);
  for (const TrieChild& child : node->children()) UnrefTrie(child.part);
  TrieNode::Free(node);
}

}  // namespace cloakroom
