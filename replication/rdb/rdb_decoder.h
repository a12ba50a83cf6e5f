#ifndef CLOAKROOM_REPLICATION_RDB_RDB_DECODER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_DECODER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_reader.h"
#include "replication/rdb/rdb_string_buffer.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/memory_slot.h"

namespace cloakroom {

/// Decodes the values of records with the codecs of their types (rdb_codec.h), and builds each in
/// memory that is reused from value to value, so that an entry is then made in one allocation. The
/// values get the encodings that commands would have left.
///
/// Thread rule: one thread at a time.
class RdbDecoder {
 public:
  explicit RdbDecoder(const EncodingLimits& limits) : limits_(limits) {}

  /// The key, valid until the next call.
  absl::StatusOr<std::string_view> Key(const RdbRecord& record) { return key_.Restore(record.key); }
  /// Decodes a value into value(). Unimplemented: we have no such type; otherwise DataLoss.
  /// `item_expiries`: as RdbRecord's.
  absl::Status Decode(uint8_t type, rdb::Dialect dialect, std::string_view value,
                      std::string_view item_expiries = {});
  /// The decoded value. Absent after an error, and after a collection without elements.
  MemorySlot& value() { return value_; }

 private:
  const EncodingLimits limits_;
  MemorySlot value_;
  RdbStringBuffer key_;
  RdbStringBuffer first_;
  RdbStringBuffer second_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_DECODER_H_
