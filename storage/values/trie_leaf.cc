#include "storage/values/trie_leaf.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "storage/base/allocate.h"

namespace cloakroom {

TrieLeaf* TrieLeaf::Allocate(size_t capacity_bytes) {
  void* const memory = cloakroom::Allocate(sizeof(TrieLeaf) + capacity_bytes);
  return new (memory) TrieLeaf(UsableSize(memory) - sizeof(TrieLeaf));
}

TrieLeaf* TrieLeaf::Create(bool has_values, size_t reserve) {
  TrieLeafEditor editor(Allocate(std::max(reserve, kTagStep)));
  PackedBlock::Init(editor, has_values);
  return editor.leaf();
}

TrieLeaf* TrieLeaf::Copy(const TrieLeaf* leaf) {
  TrieLeaf* const copy = Allocate(leaf->byte_size());
  copy->tag_capacity = leaf->tag_capacity;
  copy->packed_size = leaf->packed_size;
  std::memcpy(copy->bytes(), leaf->bytes(), leaf->byte_size());
  copy->items().RefBlobs();
  return copy;
}

void TrieLeaf::Free(TrieLeaf* leaf) {
  leaf->items().UnrefBlobs();
  FreeKeepingBlobs(leaf);
}

void TrieLeaf::FreeKeepingBlobs(TrieLeaf* leaf) {
  leaf->~TrieLeaf();
  Deallocate(leaf);
}

size_t TrieLeaf::memory() const { return UsableSize(this) + items().BlobMemory(); }

std::optional<PackedItem> TrieLeaf::Find(uint8_t tag, std::string_view field) const {
  const PackedView view = items();
  const char* const tags = bytes();
  const char* const end = tags + view.size();
  std::optional<PackedItem> item;
  for (const char* from = tags; from < end;) {
    const void* const match = std::memchr(from, tag, static_cast<size_t>(end - from));
    if (match == nullptr) return std::nullopt;
    const char* const found = static_cast<const char*>(match);
    const size_t index = static_cast<size_t>(found - tags);
    item = item ? view.At(index, *item) : view.At(index);
    if (item->field == field) return item;
    from = found + 1;
  }
  return std::nullopt;
}

void TrieLeafEditor::Append(uint8_t tag, std::string_view field, std::string_view value,
                            int64_t expires_at_ms) {
  AppendTag(tag);
  block().Append(field, value, expires_at_ms);
}

void TrieLeafEditor::AppendMoved(uint8_t tag, const PackedView& from, const PackedItem& item) {
  AppendTag(tag);
  block().AppendMoved(from, item);
}

void TrieLeafEditor::SetValue(const PackedItem& item, std::string_view value) {
  block().SetValue(item, value);
}

void TrieLeafEditor::SetExpiry(const PackedItem& item, int64_t expires_at_ms) {
  block().SetExpiry(item, expires_at_ms);
}

void TrieLeafEditor::Erase(const PackedItem& item) {
  const size_t left = leaf_->size() - 1;
  block().Erase(item);
  char* const tags = leaf_->bytes();
  std::memmove(tags + item.index, tags + item.index + 1, left - item.index);
  if (left + 2 * TrieLeaf::kTagStep <= leaf_->tag_capacity) {
    SetTagCapacity(leaf_->tag_capacity - TrieLeaf::kTagStep);
  }
}

void TrieLeafEditor::AppendTag(uint8_t tag) {
  const size_t count = leaf_->size();
  if (count == leaf_->tag_capacity) SetTagCapacity(count + TrieLeaf::kTagStep);
  leaf_->bytes()[count] = static_cast<char>(tag);
}

void TrieLeafEditor::SetTagCapacity(size_t tags) {
  if (tags + leaf_->packed_size > leaf_->capacity) Reallocate(tags + leaf_->packed_size);
  std::memmove(leaf_->bytes() + tags, data(), leaf_->packed_size);
  leaf_->tag_capacity = static_cast<uint32_t>(tags);
}

char* TrieLeafEditor::Splice(size_t offset, size_t erase, size_t insert) {
  const size_t new_size = leaf_->packed_size - erase + insert;
  if (leaf_->tag_capacity + new_size > leaf_->capacity) {
    Reallocate(leaf_->tag_capacity + new_size);
  }
  char* const at = data() + offset;
  std::memmove(at + insert, at + erase, leaf_->packed_size - offset - erase);
  leaf_->packed_size = static_cast<uint32_t>(new_size);
  if (erase > insert) Trim();
  return data() + offset;
}

void TrieLeafEditor::Trim() {
  // Size classes are a quarter to an eighth apart, so less slack is not worth a move.
  if (leaf_->byte_size() < leaf_->capacity - leaf_->capacity / 4) Reallocate(leaf_->byte_size());
}

void TrieLeafEditor::Reallocate(size_t capacity) {
  const size_t total = sizeof(TrieLeaf) + std::max(capacity, TrieLeaf::kTagStep);
  TrieLeaf* const moved = TrieLeaf::Allocate(total - sizeof(TrieLeaf));
  moved->tag_capacity = leaf_->tag_capacity;
  moved->packed_size = leaf_->packed_size;
  std::memcpy(moved->bytes(), leaf_->bytes(), leaf_->byte_size());
  TrieLeaf::FreeKeepingBlobs(leaf_);
  leaf_ = moved;
}

}  // namespace cloakroom
