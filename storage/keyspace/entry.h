#ifndef CLOAKROOM_STORAGE_KEYSPACE_ENTRY_H_
#define CLOAKROOM_STORAGE_KEYSPACE_ENTRY_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "storage/base/clock.h"
#include "storage/values/value.h"

namespace cloakroom {

/// The expiry of a key that has none, as PEXPIRETIME reports it. Not kNever, which is a time that a
/// client may set.
inline constexpr int64_t kNoExpiry = -1;

/// One key with its value, in one allocation:
///
///   header (12 bytes) | expiry, 8 bytes, if any | key size, 4 bytes, if >= 65,535 | key | payload
///
/// The payload is the value itself if it is small, or else a pointer to it (value.h). Nothing
/// behind the header is aligned. An entry moves when it grows, and every holder of its address must
/// be told; so only Table and WriteScope keep one.
///
/// Thread rule: the lock of the entry's stripe.
class Entry {
 public:
  /// Leaves the payload uninitialised. The caller owns the entry until it is in a table.
  static Entry* Create(std::string_view key, int64_t expire_at_ms, ValueType type,
                       Encoding encoding, size_t payload_size);
  /// Frees only the entry, not what its payload points to (see ReleaseValue in type_ops.h).
  static void Destroy(Entry* entry);

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  std::string_view key() const {
    const char* start = tail() + ExpirySize();
    if (key_size_ != kLongKey) [[likely]]
      return {start, key_size_};
    uint32_t size;
    std::memcpy(&size, start, sizeof(size));
    return {start + sizeof(size), size};
  }
  ValueView value() const {
    return {.type = type(), .encoding = encoding(), .outgrown = outgrown(), .payload = payload()};
  }
  ValueType type() const { return static_cast<ValueType>(kind_ & 0x0f); }
  Encoding encoding() const { return static_cast<Encoding>(kind_ >> 4); }
  void set_encoding(Encoding encoding) {
    kind_ = static_cast<uint8_t>((kind_ & 0x0f) | (static_cast<uint8_t>(encoding) << 4));
  }

  bool outgrown() const { return (flags_ & kOutgrown) != 0; }
  void set_outgrown(bool on) { SetFlag(kOutgrown, on); }

  bool has_expiry() const { return (flags_ & kHasExpiry) != 0; }
  int64_t expire_at_ms() const {
    if (!has_expiry()) return kNoExpiry;
    int64_t at;
    std::memcpy(&at, tail(), sizeof(at));
    return at;
  }
  bool expired(int64_t now_ms) const { return has_expiry() && expire_at_ms() <= now_ms; }

  /// Items of the value have an expiry, fields of a hash or members of a set, as UpdateDue last
  /// found. The name says field for item.
  bool has_field_expiry() const { return (flags_ & kHasFieldExpiry) != 0; }
  /// The same for a hash: then a file that holds the entry needs a newer version (rdb_format.h).
  bool has_hash_field_expiry() const { return has_field_expiry() && type() == ValueType::kHash; }
  /// When the expirer must look at the entry: at its own expiry or at that of its first item,
  /// whichever is first; kNever if none expires. REQUIRES: UpdateDue was called since the value
  /// last changed.
  int64_t NextDue() const;
  /// Finds out whether items have an expiry, and returns NextDue().
  int64_t UpdateDue();

  /// Tells the entries that are older than the latest snapshot from newer ones (snapshot.h).
  bool epoch() const { return (flags_ & kEpoch) != 0; }
  void set_epoch(bool epoch) { SetFlag(kEpoch, epoch); }

  std::string_view payload() const { return {payload_start(), payload_size_}; }
  char* mutable_payload() { return const_cast<char*>(payload_start()); }

  /// 24 bits of the access clock or of the LFU counter (access_clock.h).
  uint32_t access() const { return access_; }
  void set_access(uint32_t access) { access_ = access; }

  /// The size of its allocation.
  size_t allocated_bytes() const;

  /// Changes that may move the entry: they return its new address.
  static Entry* WithExpiry(Entry* entry, int64_t expire_at_ms);
  static Entry* WithPayloadSpliced(Entry* entry, size_t offset, size_t erase, size_t insert);

 private:
  static constexpr uint16_t kLongKey = 0xffff;
  static constexpr uint8_t kHasExpiry = 1;
  static constexpr uint8_t kOutgrown = 2;
  static constexpr uint8_t kHasFieldExpiry = 4;
  static constexpr uint8_t kEpoch = 8;

  Entry() = default;

  void SetFlag(uint8_t flag, bool on) {
    flags_ = static_cast<uint8_t>(on ? flags_ | flag : flags_ & ~flag);
  }
  size_t ExpirySize() const { return has_expiry() ? sizeof(int64_t) : 0; }
  const char* tail() const { return reinterpret_cast<const char*>(this + 1); }
  char* tail() { return reinterpret_cast<char*>(this + 1); }
  const char* payload_start() const {
    std::string_view k = key();
    return k.data() + k.size();
  }
  size_t total_size() const {
    return static_cast<size_t>(payload_start() - reinterpret_cast<const char*>(this)) +
           payload_size_;
  }

  uint32_t access_;
  uint32_t payload_size_;
  uint16_t key_size_;
  uint8_t kind_;
  uint8_t flags_;
};
static_assert(sizeof(Entry) == 12);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_ENTRY_H_
