#ifndef CLOAKROOM_REPLICATION_RDB_ZIPLIST_H_
#define CLOAKROOM_REPLICATION_RDB_ZIPLIST_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "replication/rdb/rdb_cursor.h"

namespace cloakroom {

/// Reads the ziplist, which Redis wrote before version 7: total size and offset of the last element
/// (uint32 each), count (uint16, 65,535: unknown), elements, 0xFF. An element has the size of the
/// one before (a byte, or 0xFE and four), an encoding byte, and its bytes:
///
///   00nnnnnn            a string of n bytes   01nnnnnn nnnnnnnn  a string of n bytes
///   10……                a string, its size in 4 bytes, high one first
///   C0, D0, E0, F0, FE  a number of 2, 4, 8, 3 or 1 bytes, low one first
///   1111nnnn            the number n - 1, n from 1 to 13
///
/// Source: rdb.fnordig.de. Never reads out of bounds; checks every byte, as redis-server does.
/// Thread rule: one thread at a time.
class ZiplistReader {
 public:
  explicit ZiplistReader(std::string_view bytes);

  /// The next element, valid as long as the bytes; false at the end or if it is malformed.
  bool Next(RdbText& element);
  /// After Next returned false: whether all of the bytes were right.
  bool complete() const { return complete_; }

 private:
  bool ReadElement(uint8_t encoding, RdbText& element);

  RdbCursor cursor_;
  uint32_t tail_;      // Where the last element should begin.
  uint32_t expected_;  // Elements, if known.
  uint32_t count_ = 0;
  size_t last_ = 0;  // Where the element before begins; 0: there is none.
  bool complete_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_ZIPLIST_H_
