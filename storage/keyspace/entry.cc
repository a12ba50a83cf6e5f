#include "storage/keyspace/entry.h"

#include <algorithm>
#include <new>

#include "storage/base/allocate.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// A move to a smaller block is worth it only if it saves a good part of the block.
constexpr size_t kShrinkSlack = 64;

Entry* Resize(Entry* entry, size_t size) {
  size_t usable = UsableSize(entry);
  if (size <= usable && usable - size <= kShrinkSlack + size / 4) return entry;
  return static_cast<Entry*>(Reallocate(entry, size));
}

}  // namespace

Entry* Entry::Create(std::string_view key, int64_t expire_at_ms, ValueType type, Encoding encoding,
                     size_t payload_size) {
  bool long_key = key.size() >= kLongKey;
  bool expires = expire_at_ms != kNoExpiry;
  size_t head = (expires ? sizeof(int64_t) : 0) + (long_key ? sizeof(uint32_t) : 0);
  Entry* entry = new (Allocate(sizeof(Entry) + head + key.size() + payload_size)) Entry;
  entry->access_ = 0;
  entry->payload_size_ = static_cast<uint32_t>(payload_size);
  entry->key_size_ = long_key ? kLongKey : static_cast<uint16_t>(key.size());
  entry->kind_ = static_cast<uint8_t>(type);
  entry->flags_ = expires ? kHasExpiry : 0;
  entry->set_encoding(encoding);
  char* out = entry->tail();
  if (expires) {
    std::memcpy(out, &expire_at_ms, sizeof(expire_at_ms));
    out += sizeof(expire_at_ms);
  }
  if (long_key) {
    uint32_t size = static_cast<uint32_t>(key.size());
    std::memcpy(out, &size, sizeof(size));
    out += sizeof(size);
  }
  key.copy(out, key.size());
  return entry;
}

void Entry::Destroy(Entry* entry) { Deallocate(entry); }

int64_t Entry::NextDue() const {
  const int64_t own = has_expiry() ? expire_at_ms() : kNever;
  if (!has_field_expiry()) return own;
  return std::min(own, OpsOf(type()).next_expiry(value()));
}

int64_t Entry::UpdateDue() {
  const TypeOps& ops = OpsOf(type());
  if (ops.next_expiry != nullptr) {
    SetFlag(kHasFieldExpiry, ops.next_expiry(value()) != kNever);
  }
  return NextDue();
}

size_t Entry::allocated_bytes() const { return UsableSize(this); }

Entry* Entry::WithExpiry(Entry* entry, int64_t expire_at_ms) {
  bool wanted = expire_at_ms != kNoExpiry;
  if (wanted != entry->has_expiry()) {
    size_t size = entry->total_size();
    size_t rest = size - sizeof(Entry);
    if (wanted) {
      entry = Resize(entry, size + sizeof(int64_t));
      std::memmove(entry->tail() + sizeof(int64_t), entry->tail(), rest);
    } else {
      std::memmove(entry->tail(), entry->tail() + sizeof(int64_t), rest - sizeof(int64_t));
      entry = Resize(entry, size - sizeof(int64_t));
    }
    entry->SetFlag(kHasExpiry, wanted);
  }
  if (wanted) std::memcpy(entry->tail(), &expire_at_ms, sizeof(expire_at_ms));
  return entry;
}

Entry* Entry::WithPayloadSpliced(Entry* entry, size_t offset, size_t erase, size_t insert) {
  size_t size = entry->total_size();
  size_t behind = entry->payload_size_ - offset - erase;
  if (insert > erase) entry = Resize(entry, size + insert - erase);
  char* at = entry->mutable_payload() + offset;
  std::memmove(at + insert, at + erase, behind);
  entry->payload_size_ = static_cast<uint32_t>(entry->payload_size_ + insert - erase);
  if (insert < erase) entry = Resize(entry, size + insert - erase);
  return entry;
}

}  // namespace cloakroom
