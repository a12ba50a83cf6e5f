#include "replication/rdb/rdb_cursor.h"

#include <string>

#include "replication/files/lzf.h"
#include "replication/rdb/rdb_format.h"

namespace cloakroom {

absl::Status RdbCursor::status() const {
  if (ok_) return absl::OkStatus();
  if (missing_ > 0) return absl::OutOfRangeError("the bytes end too early");
  std::string text(error_);
  if (error_number_ >= 0) text += " " + std::to_string(error_number_);
  return absl::DataLossError(text);
}

void RdbCursor::RunOut(uint64_t size) {
  if (!ok_) return;
  ok_ = false;
  missing_ = size - (bytes_.size() - position_);
}

RdbCursor::Head RdbCursor::ReadHead() {
  const uint8_t first = Byte();
  const uint8_t low = first & 0x3f;
  if (first < rdb::kLength14) [[likely]]
    return {low, false};
  if (first < rdb::kLength32) return {uint64_t{low} << 8 | Byte(), false};
  if (first == rdb::kLength32) return {__builtin_bswap32(Number<uint32_t>()), false};
  if (first == rdb::kLength64) return {__builtin_bswap64(Number<uint64_t>()), false};
  if (first >= rdb::kEncodedInt8) return {first, true};
  position_ -= 1;
  Fail("unknown length encoding");
  return {0, false};
}

uint64_t RdbCursor::Length() {
  const Head head = ReadHead();
  if (!head.encoded) [[likely]]
    return head.length;
  Fail("a string where a length should be");
  return 0;
}

RdbString RdbCursor::String() {
  const Head head = ReadHead();
  if (head.encoded) return EncodedString(head.length);
  RdbString string;
  string.bytes = Take(head.length);
  string.size = head.length;
  return string;
}

RdbString RdbCursor::EncodedString(uint64_t kind) {
  RdbString string;
  string.kind = RdbString::Kind::kInteger;
  if (kind == rdb::kEncodedInt8) {
    string.integer = Number<int8_t>();
  } else if (kind == rdb::kEncodedInt16) {
    string.integer = Number<int16_t>();
  } else if (kind == rdb::kEncodedInt32) {
    string.integer = Number<int32_t>();
  } else if (kind == rdb::kEncodedLzf) {
    string.kind = RdbString::Kind::kLzf;
    const uint64_t compressed = Length();
    string.size = Length();
    string.bytes = Take(compressed);
    // Before anybody makes room for it.
    if (ok_ && string.size / kMaxLzfExpansion > compressed) Fail(kInvalidLzf);
  } else {
    Fail("Unknown RDB string encoding type", static_cast<int>(kind & 0x3f));
  }
  return string;
}

}  // namespace cloakroom
