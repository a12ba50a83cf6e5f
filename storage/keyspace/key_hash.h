#ifndef CLOAKROOM_STORAGE_KEYSPACE_KEY_HASH_H_
#define CLOAKROOM_STORAGE_KEYSPACE_KEY_HASH_H_

#include <cstdint>
#include <string_view>

#include "storage/base/text_hash.h"

namespace cloakroom {

/// The hash of a key, 64 bits, seeded per process. From the top: 8 bits choose the stripe, 8 bits
/// are the tag in the bucket, and the low 48 bits choose the bucket.
struct KeyHash {
  uint64_t value = 0;

  static KeyHash Of(std::string_view key) { return {HashText(key)}; }

  uint32_t stripe() const { return static_cast<uint32_t>(value >> 56); }
  /// Never 0, which marks an empty slot.
  uint8_t tag() const {
    uint8_t tag = static_cast<uint8_t>(value >> 48);
    return tag == 0 ? 1 : tag;
  }
  uint64_t bucket_bits() const { return value & ((uint64_t{1} << 48) - 1); }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_KEY_HASH_H_
