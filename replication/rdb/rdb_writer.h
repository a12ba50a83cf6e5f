#ifndef CLOAKROOM_REPLICATION_RDB_RDB_WRITER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_WRITER_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "replication/rdb/rdb_encoder.h"

namespace cloakroom {

/// Writes an RDB file: Begin, any number of Aux and Function, then of ResizeDb, Entry and Encoded,
/// then End. Before End the bytes in the sink are not yet a file. Databases may be interleaved.
///
/// Versions 9 to 12; the bytes are what servers of that version read: strings as integers, LZF or
/// plain, hashes and sets in their plain form, small sets of integers as such, and from version 12
/// on hashes with fields that expire. Chooses other encodings than Redis, but the data read from
/// them is the same. Thread rule: one thread at a time.
class RdbWriter {
 public:
  RdbWriter(ByteSink& sink, const RdbOptions& options);

  void Begin();
  /// Servers that do not know the name skip it.
  void Aux(std::string_view name, std::string_view value);
  /// The source of a function library. Needs version 10.
  void Function(std::string_view source);
  /// How many keys of a database to expect, and how many that expire: a hint, before its entries.
  void ResizeDb(int db, uint64_t keys, uint64_t expires);
  void Entry(const EntryView& entry);
  /// Entries of a database from another thread's encoder, which had the same options.
  void Encoded(int db, std::string_view bytes);
  /// Writes the end and the checksum, and hands everything to the sink.
  void End();

  uint64_t bytes_written() const { return summer_.bytes(); }
  /// The first thing that this version cannot hold. The file must not be used then.
  const absl::Status& status() const { return encoder_.status(); }

 private:
  /// Sums up the bytes that pass through.
  class Summer final : public ByteSink {
   public:
    Summer(ByteSink& sink, bool active) : sink_(sink), active_(active) {}
    void Append(std::string_view bytes) override;
    uint64_t crc() const { return crc_; }
    uint64_t bytes() const { return bytes_; }

   private:
    ByteSink& sink_;
    const bool active_;
    uint64_t crc_ = 0;
    uint64_t bytes_ = 0;
  };

  void SelectDb(int db);

  const RdbOptions options_;
  Summer summer_;
  RdbEncoder encoder_;
  int db_ = -1;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_WRITER_H_
