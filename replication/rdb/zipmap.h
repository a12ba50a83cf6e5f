#ifndef CLOAKROOM_REPLICATION_RDB_ZIPMAP_H_
#define CLOAKROOM_REPLICATION_RDB_ZIPMAP_H_

#include <cstdint>
#include <string_view>

#include "replication/rdb/rdb_cursor.h"

namespace cloakroom {

/// Reads the zipmap, which Redis 2.0 to 2.4 wrote for small hashes: a byte that counts the pairs
/// (254 and more: unknown), and for each a size, the field, a size, a byte that says how much is
/// unused behind the value, the value, the unused bytes; then 0xFF. A size is a byte below 254, or
/// 254 and four bytes, low one first. Returns fields and values in turn. Source: rdb.fnordig.de.
/// Never reads out of bounds. Thread rule: one thread at a time.
class ZipmapReader {
 public:
  explicit ZipmapReader(std::string_view bytes);

  /// The next field or value, valid as long as the bytes; false at the end or if it is malformed.
  bool Next(RdbText& element);
  /// After Next returned false: whether all of the bytes were right.
  bool complete() const { return complete_; }

 private:
  RdbCursor cursor_;
  uint32_t expected_;
  uint32_t count_ = 0;
  bool complete_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_ZIPMAP_H_
