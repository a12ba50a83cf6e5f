#ifndef CLOAKROOM_REPLICATION_RDB_RDB_CODEC_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_CODEC_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "replication/rdb/rdb_cursor.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_string_buffer.h"
#include "storage/keyspace/entry_view.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/value.h"

namespace cloakroom {

class RdbEncoder;

/// A value being decoded, and the slot in which it is built. The cursor keeps the first error; the
/// slot may then hold a part.
struct RdbDecoding {
  RdbCursor cursor;
  ValueSlot& slot;  ///< absent at first, and after a collection without elements
  const EncodingLimits& limits;
  RdbStringBuffer& first;  ///< two strings may be in use at once
  RdbStringBuffer& second;
  std::string_view item_expiries = {};  ///< as RdbRecord::item_expiries

  /// The next string, valid until the buffer is used again; an error leaves it empty.
  std::string_view String(RdbStringBuffer& buffer);
  /// Calls `one` for each of the elements that a length announces, until there is an error.
  template <typename One>
  void Repeat(One one) {
    for (uint64_t left = cursor.Length(); left > 0 && cursor.ok(); --left) one();
  }
};

/// One form of a type in files, chosen by the byte before the key.
struct RdbLayout {
  uint8_t type;
  void (*decode)(RdbDecoding& in);
  std::optional<rdb::Dialect> only = {};  ///< elsewhere the number has another meaning
};

/// How RDB files represent a type: one row for each, in a file of its own (string_codec.cc …).
struct RdbCodec {
  ValueType type;
  /// Writes the entry's record, in the form that the encoder's version knows; nothing, if to
  /// clients there is no such value.
  void (*encode)(RdbEncoder& out, const EntryView& entry);
  /// Every form that Redis or Valkey ever wrote.
  std::span<const RdbLayout> layouts;
};

extern const RdbCodec kStringCodec;
extern const RdbCodec kHashCodec;
extern const RdbCodec kSetCodec;
extern const RdbCodec kListCodec;
extern const RdbCodec kZsetCodec;
extern const RdbCodec kStreamCodec;

const RdbCodec& RdbCodecOf(ValueType type);

/// The type and the layout that a byte before a key means; nulls for a type that we do not have.
struct FoundRdbLayout {
  const RdbCodec* codec = nullptr;
  const RdbLayout* layout = nullptr;
};
FoundRdbLayout FindRdbLayout(uint8_t type, rdb::Dialect dialect);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_CODEC_H_
