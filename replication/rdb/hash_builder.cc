#include "replication/rdb/hash_builder.h"

#include <algorithm>
#include <cstring>

#include "storage/values/packed.h"

namespace cloakroom {

bool HashBuilder::Seen::AddNew(std::string_view field) {
  // The first eight bytes and the last ones, in which fields usually differ.
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

HashBuilder::HashBuilder(ValueSlot& slot, const EncodingLimits& limits)
    : slot_(slot),
      limits_(limits),
      items_(slot, ValueType::kHash, /*has_values=*/true, limits.hash_max_listpack_entries) {}

// As MutableItems::Put, without searching all present fields.
bool HashBuilder::AddPacked(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  PackedBlock block(slot_);
  if (!seen_.AddNew(field) && block.view().Find(field)) return false;
  block.Append(field, value, expires_at_ms);
  return true;
}

bool HashBuilder::Add(std::string_view field, std::string_view value, int64_t expires_at_ms) {
  if (!slot_.exists()) {
    slot_.Create(ValueType::kHash, Encoding::kPacked);
    PackedBlock::Init(slot_, /*has_values=*/true);
  }
  if (std::max(field.size(), value.size()) > limits_.hash_max_listpack_value_bytes) {
    slot_.set_outgrown(true);
  }
  if (slot_.encoding() == Encoding::kTrie) return items_.Put(field, value, expires_at_ms);
  if (!AddPacked(field, value, expires_at_ms)) return false;
  const bool too_many = PackedView(slot_.bytes()).size() > limits_.hash_max_listpack_entries;
  if (too_many || slot_.size() > kMaxPackedBytes) items_.BecomeTrie();
  return true;
}

}  // namespace cloakroom
