#ifndef CLOAKROOM_REPLICATION_AOF_AOF_READER_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_READER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/files/bytes.h"

namespace cloakroom {

/// Reads one file of an append-only log, or the part behind its RDB preamble, command by command:
///
///   while (reader.Next() == AofReader::Status::kCommand) { ... reader.arguments() ... }
///
/// Knows up to where the file is whole, so that a torn tail can be cut: a transaction without its
/// EXEC does not count. Skips annotations ("#TS:1700000000\r\n"). Never allocates by a length that
/// the file claims: its memory is proportional to the bytes of the present command.
///
/// A source that fails looks like one that ends: ask its owner before cutting a tail. Not thread
/// safe.
class AofReader {
 public:
  enum class Status {
    kCommand,      ///< arguments() has one, at least one argument
    kEnd,          ///< the file ends with something whole
    kTruncated,    ///< it ends in the middle of something that began at whole_offset()
    kFormatError,  ///< error() at offset(): a cut would also lose what follows
    kRdbPreamble,  ///< the file begins with an RDB file: start a new reader behind that
  };
  /// Bytes of one argument, the default of Redis' `proto-max-bulk-len`.
  static constexpr int64_t kMaxArgument = int64_t{512} << 20;
  /// Bytes of a line: of a length, or an annotation.
  static constexpr size_t kMaxLine = 1024;

  /// `source` must outlive the reader, and stand at `start_offset` of its file: offsets count from
  /// the start of the file. Looks for a preamble only at offset 0.
  explicit AofReader(ByteSource& source, int64_t start_offset = 0);
  /// `see` is called by Next() for each annotation before the command, without its line's end.
  void OnAnnotation(std::function<void(std::string_view line)> see) { see_ = std::move(see); }

  /// The next command. Repeats any result but kCommand.
  Status Next();

  /// Valid until the next call.
  std::span<const std::string_view> arguments() const { return arguments_; }
  /// The command of arguments() as it stands in the file. Valid until the next call.
  std::string_view bytes() const { return bytes_; }
  /// Where the command of arguments() begins.
  int64_t command_offset() const { return command_offset_; }
  /// The offset behind it; after kFormatError, the start of the malformed command.
  int64_t offset() const { return base_offset_ + static_cast<int64_t>(begin_); }
  /// What can be kept: up to the last command outside an open transaction.
  int64_t whole_offset() const { return whole_offset_; }
  /// Between MULTI and EXEC: do not apply the command unless EXEC comes.
  bool in_transaction() const { return in_transaction_; }
  /// Seconds of the last "#TS:" annotation.
  std::optional<int64_t> timestamp_s() const { return timestamp_s_; }
  /// After kFormatError, what is wrong there: kDataLoss.
  const absl::Status& error() const { return error_; }

  /// Whether a file with this beginning begins with an RDB file, of Redis or Valkey.
  static bool IsRdb(std::string_view begin);

 private:
  struct Slice {
    size_t offset;  // from begin_
    size_t length;
  };

  Status Finish(Status status);
  Status FormatError(absl::Status error);
  bool Fill();
  bool Have(size_t bytes);
  absl::StatusOr<std::string_view> Line();
  Status SkipAnnotation();
  Status ReadCommand();
  Status ReadArgument();
  absl::StatusOr<int64_t> Length(std::string_view line, char type, int64_t most) const;
  void NoteTransaction();
  void Consume();

  ByteSource& source_;
  std::vector<char> buffer_;
  size_t begin_ = 0;     // of what Next() looks at
  size_t end_ = 0;       // of what was read
  size_t position_ = 0;  // from begin_: what comes next
  int64_t base_offset_;  // of buffer_[0] in the file

  std::function<void(std::string_view)> see_;
  std::vector<Slice> slices_;
  std::vector<std::string_view> arguments_;
  std::string_view bytes_;
  int64_t command_offset_;
  int64_t whole_offset_;
  bool in_transaction_ = false;
  std::optional<int64_t> timestamp_s_;
  absl::Status error_;
  std::optional<Status> ended_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_READER_H_
