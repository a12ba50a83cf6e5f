#ifndef CLOAKROOM_STORAGE_VALUES_ENCODING_LIMITS_H_
#define CLOAKROOM_STORAGE_VALUES_ENCODING_LIMITS_H_

#include <cstddef>

#include "storage/base/relaxed.h"

namespace cloakroom {

/// Where Redis leaves its compact encodings: the configuration settings of these names, but for the
/// units. They decide what OBJECT ENCODING answers, and at how many items a packed block becomes a
/// trie. They may change while a command reads them, which then follows the old one or the new.
struct EncodingLimits {
  Relaxed<size_t> hash_max_listpack_entries = 128;
  Relaxed<size_t> hash_max_listpack_value_bytes = 64;
  Relaxed<size_t> set_max_intset_entries = 512;
  Relaxed<size_t> set_max_listpack_entries = 128;
  Relaxed<size_t> set_max_listpack_value_bytes = 64;
  Relaxed<size_t> zset_max_listpack_entries = 128;
  Relaxed<size_t> zset_max_listpack_value_bytes = 64;
  /// Positive: elements of a list's node; -1 to -5: its bytes, 4, 8, 16, 32 or 64 KB.
  Relaxed<int> list_max_listpack_size = -2;
  Relaxed<size_t> stream_node_max_bytes = 4096;   ///< 0: no limit
  Relaxed<size_t> stream_node_max_entries = 100;  ///< 0: no limit
};

/// A larger packed block becomes a trie whatever the entry limit. Above what Redis would keep in a
/// listpack under its default limits: 128 * (64 + 64) bytes plus two lengths each.
inline constexpr size_t kMaxPackedBytes = 17 * 1024;

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_ENCODING_LIMITS_H_
