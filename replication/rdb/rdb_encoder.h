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
  /// Which accesses of a key Redis records depends on maxmemory-policy.
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
/// threads may encode, each with its own encoder and sink. Collects about 64 KB, then hands them to
/// the sink. A value of any size passes through in pieces, except a string that is compressed,
/// which is compressed as a whole; strings longer than kMaxCompressed are written uncompressed.
/// Thread rule: one thread at a time.
class RdbEncoder {
 public:
  static constexpr size_t kMaxCompressed = 16 << 20;

  RdbEncoder(ByteSink& sink, const RdbOptions& options);

  /// Encodes the entry with its expiry, but without its database, by the codec of its type
  /// (rdb_codec.h). Writes nothing for a hash of which all fields have expired. Nobody may change
  /// the value meanwhile: it is a private copy (SnapshotBatch), so no lock is needed.
  void Entry(const EntryView& entry);
  /// The same without the key, its expiry and its access: the type's byte and the value.
  void Value(const ValueView& value);

  // For codecs.
  const RdbOptions& options() const { return options_; }
  /// Writes the expiry and the access of an entry, the type's byte and the key; the value must
  /// follow. `item_expiries`: in the format of rdb::kItemExpiryAux; empty: no item expires.
  void BeginRecord(uint8_t type, const EntryView& entry, std::string_view item_expiries = {});
  /// The format's version cannot hold the entry.
  void Fail(const absl::Status& status) { status_.Update(status); }

  void Byte(uint8_t byte);
  void Length(uint64_t length);
  /// As an integer if it is one, compressed if that helps, or else as it is.
  void String(std::string_view bytes);
  /// As it is, without a length.
  void Raw(std::string_view bytes);
  template <typename T>
  void Number(T number) {
    Raw({reinterpret_cast<const char*>(&number), sizeof(number)});
  }

  /// Hands everything encoded so far to the sink.
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
  bool value_only_ = false;
  std::unique_ptr<char[]> buffer_;
  size_t used_ = 0;
  LzfCompressor compressor_;
  std::unique_ptr<char[]> scratch_;  // for compressed strings that do not fit the buffer
  size_t scratch_size_ = 0;
  absl::Status status_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_ENCODER_H_
