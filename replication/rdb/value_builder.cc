#include "replication/rdb/value_builder.h"

#include <algorithm>
#include <cstring>

#include "storage/values/hash.h"
#include "storage/values/items.h"
#include "storage/values/packed.h"
#include "storage/values/set.h"
#include "storage/values/shared_value.h"
#include "storage/values/string_value.h"

namespace cloakroom {

char* ValueBuilder::Slot::Splice(size_t offset, size_t erase, size_t insert) {
  const size_t size = size_ - erase + insert;
  if (size > capacity_) {
    capacity_ = std::max<size_t>(2 * size, 4096);
    std::unique_ptr<char[]> larger(new char[capacity_]);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
  }
  char* const at = bytes_.get() + offset;
  const size_t behind = size_ - offset - erase;
  if (behind > 0 && erase != insert) std::memmove(at + insert, at + erase, behind);
  size_ = size;
  return at;
}

void ValueBuilder::Slot::Create(ValueType type, Encoding encoding) {
  exists_ = true;
  outgrown_ = false;
  type_ = type;
  encoding_ = encoding;
  size_ = 0;
}

void ValueBuilder::Slot::Remove() {
  exists_ = false;
  size_ = 0;
}

bool ValueBuilder::Fields::AddNew(std::string_view field) {
  // The first eight bytes and the last ones, which is where fields differ.
  uint64_t ends[2] = {field.size(), 0};
  const size_t part = std::min(field.size(), sizeof(uint64_t));
  uint64_t head = 0;
  if (part > 0) {
    std::memcpy(&head, field.data(), part);
    std::memcpy(&ends[1], field.data() + field.size() - part, part);
  }
  uint64_t mixed = (head * 0x9e3779b97f4a7c15u) ^ (ends[1] + ends[0]);
  mixed *= 0xff51afd7ed558ccdu;
  const size_t bit = mixed >> 53;  // 11 bits, kBits of them.
  uint64_t& word = bits_[bit / 64];
  const uint64_t mask = uint64_t{1} << bit % 64;
  const bool is_new = (word & mask) == 0;
  word |= mask;
  return is_new;
}

void ValueBuilder::Clear() {
  if (!slot_.exists()) return;
  ReleaseValue(slot_.type(), slot_.encoding(), slot_.bytes());
  slot_.Remove();
}

void ValueBuilder::OnString(std::string_view bytes) {
  lives_until_ms_ = kNoFieldExpiry;
  MutableString(slot_).Assign(bytes);
}

// As MutableItems::Put, without looking for the field in all that is there.
bool ValueBuilder::AddPacked(std::string_view field, std::string_view value,
                             int64_t expires_at_ms) {
  PackedBlock block(slot_);
  if (!fields_.AddNew(field) && block.view().Find(field)) return false;
  block.Append(field, value, expires_at_ms);
  return true;
}

bool ValueBuilder::OnField(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  MutableItems items(slot_, ValueType::kHash, limits_.hash_max_listpack_entries);
  if (!slot_.exists()) {
    fields_.Clear();
    lives_until_ms_ = expires_at_ms;
    slot_.Create(ValueType::kHash, Encoding::kPacked);
    PackedBlock::Init(slot_, /*has_values=*/true);
  }
  lives_until_ms_ = std::max(lives_until_ms_, expires_at_ms);
  if (std::max(field.size(), value.size()) > limits_.hash_max_listpack_value) {
    slot_.set_outgrown(true);
  }
  if (slot_.encoding() == Encoding::kTrie) return items.Put(field, value, expires_at_ms);
  if (!AddPacked(field, value, expires_at_ms)) return false;
  const bool too_many = PackedView(slot_.bytes()).size() > limits_.hash_max_listpack_entries;
  if (too_many || slot_.size() > kMaxPackedBytes) items.BecomeTrie();
  return true;
}

bool ValueBuilder::OnMember(std::string_view member) {
  lives_until_ms_ = kNoFieldExpiry;
  return MutableSet(slot_, limits_).Add(member);
}

}  // namespace cloakroom
