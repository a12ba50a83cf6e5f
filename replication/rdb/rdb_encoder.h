#ifndef CLOAKROOM_REPLICATION_RDB_RDB_ENCODER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "replication/files/lzf.h"
#include "storage/keyspace/entry_view.h"
#include "storage/keyspace/settings.h"

namespace cloakroom {

struct RdbOptions {
  /// What Redis notes of a key's accesses depends on maxmemory-policy.
  enum class Access : uint8_t { kNone, kIdle, kFreq };
  static Access AccessOf(EvictionPolicy policy);

  int version = 10;
  bool compression = true;  ///< rdbcompression
  bool checksum = true;     ///< rdbchecksum
  Access access = Access::kNone;
  int lfu_decay_minutes = 1;
  int64_t now_ms = 0;  ///< fields that have expired by then are not written
};

/// Encodes entries for an RDB file, without the file around them (RdbWriter), so that several
/// threads may, each with an encoder and a sink of its own. Collects some 64 KB, then hands them to
/// the sink; a value of any size passes through in pieces, but for a string that is compressed, at
/// most kMaxCompressed of it, which is compressed as a whole. Longer ones are written as they are.
/// Thread rule: one thread at a time.
class RdbEncoder {
 public:
  static constexpr size_t kMaxCompressed = 16 << 20;

  RdbEncoder(ByteSink& sink, const RdbOptions& options);

  /// Encodes the entry with its expiry, but without its database, by the codec of its type
  /// (rdb_codec.h). A hash of which all fields have expired leaves nothing. Nobody changes the
  /// value meanwhile: it is a copy of one's own (SnapshotBatch), so no lock is needed.
  void Entry(const EntryView& entry);

  // For codecs.
  const RdbOptions& options() const { return options_; }
  /// The expiry and the access of an entry, the type's byte and the key; the value must follow.
  void BeginRecord(uint8_t type, const EntryView& entry);
  /// The entry cannot be held by the format's version.
  void Fail(const absl::Status& status) { status_.Update(status); }

  void Byte(uint8_t byte);
  void Length(uint64_t length);
  /// As an integer where it is one, compressed where that helps, or as it is.
  void String(std::string_view bytes);
  /// As it is, without a length.
  void Raw(std::string_view bytes);
  template <typename T>
  void Number(T number) {
    Raw({reinterpret_cast<const char*>(&number), sizeof(number)});
  }

  /// Hands the sink all that has been encoded so far.
  void Flush();

  /// The first thing that the format's version cannot hold; the file must not be used then.
  const absl::Status& status() const { return status_; }

 private:
  static constexpr size_t kBuffer = 64 * 1024;

  bool Integer(std::string_view bytes);
  bool Compressed(std::string_view bytes);
  char* Room(size_t size);

  ByteSink& sink_;
  const RdbOptions options_;
  std::unique_ptr<char[]> buffer_;
  size_t used_ = 0;
  LzfCompressor compressor_;
  std::unique_ptr<char[]> scratch_;  // For compressed strings that do not fit the buffer.
  size_t scratch_size_ = 0;
  absl::Status status_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_ENCODER_H_
