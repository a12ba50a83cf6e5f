#ifndef CLOAKROOM_REPLICATION_RDB_RDB_READER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "replication/files/bytes.h"
#include "replication/rdb/rdb_cursor.h"
#include "replication/rdb/rdb_error.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_layout.h"
#include "storage/keyspace/entry.h"

namespace cloakroom {

/// A key with its value as they are in the file.
struct RdbRecord {
  int db = 0;
  uint8_t type = 0;
  rdb::Dialect dialect = rdb::Dialect::kRedis;
  int64_t expire_at_ms = kNoExpiry;
  int64_t idle_seconds = -1;  ///< -1: not recorded
  int lfu_counter = -1;       ///< -1: not recorded
  uint64_t offset = 0;        ///< of its type's byte
  uint64_t end_offset = 0;
  RdbString key;
  std::string_view value;     ///< for RdbDecoder
  std::string item_expiries;  ///< for RdbDecoder; empty: no item of a set expires
};

/// A run of the file's bytes in memory, into which the views of records point.
struct RdbChunk {
  explicit RdbChunk(size_t room) : bytes(new char[room]), capacity(room) {}

  std::unique_ptr<char[]> bytes;
  size_t capacity;
  size_t size = 0;
};

/// Reads an RDB file item by item: finds where each begins and ends, and sums up the bytes, but
/// decodes no value. That is RdbDecoder's task, on other threads if need be: values stay valid as
/// long as the chunk that was current when they were read.
///
/// Versions 1 to 12 of Redis and Valkey's 80. No input makes it crash or read out of bounds. It
/// holds a whole record, so its memory is bounded by twice the largest record that has really
/// arrived, never by a claimed length. Thread rule: one thread at a time.
class RdbReader {
 public:
  static constexpr uint64_t kUnknownSize = UINT64_MAX;

  enum class Item : uint8_t {
    kAux,        ///< name() and value()
    kSelectDb,   ///< db()
    kRecord,     ///< record()
    kFunction,   ///< value() is the library's source
    kModuleAux,  ///< name() is the module's
    kEnd,        ///< the whole file was right
    kError,      ///< error(); only Resync continues from here
  };

  /// `size` of everything in the source, if known: a length that reaches beyond it is then an error
  /// at once. The source may continue behind the end of the RDB (an append-only log): see rest().
  explicit RdbReader(ByteSource& source, uint64_t size = kUnknownSize);

  Item Next();

  /// 0 before the magic has been read.
  int version() const { return version_; }
  rdb::Dialect dialect() const { return dialect_; }
  int db() const { return db_; }
  /// Valid until the next call, as strings are; a record's views as long as the chunk.
  const RdbRecord& record() const { return record_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  /// Where the data of the module of kModuleAux begins, behind its head.
  uint64_t module_offset() const { return module_offset_; }
  const RdbError& error() const { return error_; }
  const std::shared_ptr<RdbChunk>& chunk() const { return chunk_; }

  /// Bytes of the items read so far.
  uint64_t offset() const { return chunk_offset_ + position_; }
  /// Bytes behind the last item that were read ahead.
  std::string_view rest() const {
    return {chunk_->bytes.get() + position_, chunk_->size - position_};
  }
  /// The file was written without a checksum. After kEnd.
  bool unchecked() const { return unchecked_; }

  /// From now on a wrong checksum is not an error.
  void IgnoreChecksum() { ignores_checksum_ = true; }

  /// After an error: continues at the next place from which several records in a row, or the end,
  /// can be read. False if there is none. What is in between is lost, and the checksum is no longer
  /// checked. Looks within 64 MB of the error; slow, meant for repairs.
  bool Resync();

 private:
  // Each reads one item, and changes this object only if the cursor is ok at the end.
  Item ParseItem(RdbCursor& cursor);
  Item ParseMagic(RdbCursor& cursor);
  Item ParseOpcode(RdbCursor& cursor, uint8_t opcode);
  Item ParseAux(RdbCursor& cursor);
  Item ParseFunction(RdbCursor& cursor);
  Item ParseModuleAux(RdbCursor& cursor);
  Item ParseSelectDb(RdbCursor& cursor);
  Item ParseRecord(RdbCursor& cursor, uint8_t type);
  Item ParseEnd(RdbCursor& cursor);
  Item ParseChecksum(RdbCursor& cursor);
  void SetExpiry(const RdbCursor& cursor, int64_t expire_at_ms);

  Item Fail(const RdbCursor& cursor);
  /// Reads on until `missing` more bytes are there. False at the end of the source.
  bool Fill(size_t missing);
  void MakeRoom(size_t room);
  void SumUp();
  void ForgetPending();
  bool PlausibleAt(size_t position);

  ByteSource& source_;
  uint64_t unread_;  // of the source, if known
  std::shared_ptr<RdbChunk> chunk_;
  uint64_t chunk_offset_ = 0;  // of the chunk's first byte
  size_t position_ = 0;        // in the chunk, behind the last item
  size_t summed_ = 0;          // in the chunk, up to where crc_ reaches
  uint64_t crc_ = 0;

  enum class State : uint8_t { kMagic, kItems, kChecksum, kDone };
  State state_ = State::kMagic;
  int version_ = 0;
  bool newer_ = false;  // than what can be read
  rdb::Dialect dialect_ = rdb::Dialect::kRedis;
  int db_ = 0;
  RdbRecord pending_;  // what opcodes said about the next record
  RdbRecord record_;
  RdbSkipProgress progress_;
  std::string name_;
  std::string value_;
  uint64_t module_offset_ = 0;
  RdbStage stage_ = RdbStage::kStart;
  RdbError error_;
  bool unchecked_ = false;
  bool ignores_checksum_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_READER_H_
