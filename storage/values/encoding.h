#ifndef CLOAKROOM_STORAGE_VALUES_ENCODING_H_
#define CLOAKROOM_STORAGE_VALUES_ENCODING_H_

#include <cstddef>
#include <string_view>

#include "storage/values/value.h"

namespace cloakroom {

/// Where Redis leaves its compact encodings: the configuration settings of these names. They
/// decide what OBJECT ENCODING answers, and at how many items a packed block becomes a trie.
struct EncodingLimits {
  size_t hash_max_listpack_entries = 128;
  size_t hash_max_listpack_value = 64;
  size_t set_max_intset_entries = 512;
  size_t set_max_listpack_entries = 128;
  size_t set_max_listpack_value = 64;
};

/// A packed block of more bytes becomes a trie whatever the entry limit. Above what Redis would
/// keep in a listpack under its default limits: 128 * (64 + 64) bytes plus two lengths each.
inline constexpr size_t kMaxPackedBytes = 17 * 1024;

/// What OBJECT ENCODING answers, in Redis 7.2's words. `size` is the length of a string.
std::string_view EncodingName(ValueType type, Encoding encoding, bool outgrown, size_t size);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_ENCODING_H_
