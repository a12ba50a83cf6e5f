#ifndef CLOAKROOM_REPLICATION_RDB_LISTPACK_H_
#define CLOAKROOM_REPLICATION_RDB_LISTPACK_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "replication/rdb/rdb_cursor.h"

namespace cloakroom {

/// The byte that ends a listpack, and the count of one that may have more elements.
inline constexpr uint8_t kListpackEnd = 0xff;
inline constexpr uint16_t kUnknownListpackCount = 0xffff;

/// Reads Redis' listpack: total size (uint32), count (uint16, 65,535: unknown), elements, 0xFF. An
/// element has an encoding byte, its bytes, and its own size again for walking backwards:
///
///   0nnnnnnn             a small number      10nnnnnn  a string of n bytes
///   110nnnnn nnnnnnnn    13 bits, signed     1110nnnn nnnnnnnn  a string of n bytes
///   F1, F2, F3, F4       a number of 2, 3, 4 or 8 bytes
///   F0                   a string, its size in 4 bytes
///
/// All numbers are low byte first, except those split over two bytes above. Source: the description
/// in antirez/listpack. Never reads out of bounds; checks every byte, as redis-server does with
/// `sanitize-dump-payload yes`. Thread rule: one thread at a time.
class ListpackReader {
 public:
  explicit ListpackReader(std::string_view bytes);

  /// The next element, valid as long as the bytes; false at the end or if it is malformed.
  bool Next(RdbText& element);
  /// After Next returned false: whether all of the bytes were right.
  bool complete() const { return complete_; }

 private:
  bool ReadElement(uint8_t encoding, RdbText& element);

  RdbCursor cursor_;
  uint32_t expected_;  // Elements, if known.
  uint32_t count_ = 0;
  bool complete_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_LISTPACK_H_
