#ifndef CLOAKROOM_REPLICATION_LINK_RECORD_READER_H_
#define CLOAKROOM_REPLICATION_LINK_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "protocol/request_parser.h"

namespace cloakroom {

/// Limits on what a primary may send. Redis has none for a primary's arguments.
struct RecordLimits {
  /// Bytes of one argument.
  int64_t max_argument = int64_t{4} << 30;
  /// Arguments of one command.
  int64_t max_arguments = std::numeric_limits<int32_t>::max();
  /// Bytes of one record, MULTI and EXEC included.
  int64_t max_record = int64_t{16} << 30;
};

/// Cuts the replication stream into records: a command, or the commands between MULTI and EXEC. The
/// caller gives the stream's bytes in order, in pieces as it has them:
///
///   reader.Feed(piece);
///   while (reader.Next() == RecordReader::Status::kRecord) {
///     ... for each i < reader.commands(): reader.arguments(i) ...
///     ... the stream is applied up to reader.offset() ...
///   }
///
/// The pieces must stay where they are until offset() has moved behind them, as the chunks of a
/// stream do behind a cursor: a command that is whole in a piece is never copied. A command that
/// straddles pieces is copied once, unless the second piece follows the first in memory, too.
/// Nothing is allocated by a length that the primary claims. The records do not depend on the
/// pieces.
///
/// As in Redis a primary may send empty lines and commands without arguments, which count as bytes
/// of the record behind them, but no command as a line of words.
///
/// Not thread safe.
class RecordReader {
 public:
  enum class Status {
    kRecord,    ///< the accessors have one
    kNeedMore,  ///< everything fed was looked at: Feed() more
    kError,     ///< error() says why. Final: the link is of no more use
  };

  /// `offset` is that of the byte before the first one fed.
  explicit RecordReader(const RecordLimits& limits = {}, int64_t offset = 0);

  /// REQUIRES: the last Next(), if any, returned kNeedMore. The bytes are changed only if they are
  /// no commands but a line of words, an error.
  void Feed(std::span<char> bytes);

  Status Next();

  /// How many commands the record has, without MULTI and EXEC; none if it ended with DISCARD, or
  /// between MULTI and EXEC there was nothing.
  size_t commands() const { return transaction_ ? ends_.size() : 1; }
  /// The arguments of a command, at least one. The span is valid until Next(), what it views until
  /// Feed(), if the caller keeps the pieces. REQUIRES: `command` < commands().
  std::span<const std::string_view> arguments(size_t command) const;
  /// Whether the record came with MULTI and EXEC.
  bool transaction() const { return transaction_; }

  /// After kRecord the offset of the record's last byte. After kNeedMore that of the last byte that
  /// belongs to something whole: also behind empty lines.
  int64_t offset() const { return offset_; }
  /// The bytes behind the last record, as far as they were fed and no command has begun in an
  /// earlier piece. Reading ahead in them changes nothing.
  std::span<char> ahead() const { return straddling_ ? std::span<char>() : rest_; }
  /// Bytes that were fed and are behind offset().
  int64_t pending_bytes() const { return record_begin_ + parsed_ + torn_bytes() - offset_; }

  /// After kError, the line for the log.
  const absl::Status& error() const { return error_; }

 private:
  enum class Step { kCommand, kNeedMore, kError };

  void StartRecord();
  Step ReadCommand();
  Step ReadStraddling();
  Step Parse(std::span<char> bytes, size_t* consumed);
  bool EndsRecord();
  void Fail(std::string_view line);
  int64_t torn_bytes() const;

  const RecordLimits limits_;
  RequestParser parser_;

  // What was fed and not parsed yet. If a command straddles pieces, its beginning is the last of
  // the straddlers, and these bytes follow it.
  std::span<char> rest_;
  bool straddling_ = false;
  // Commands that lay in several pieces, of the present piece and of the open transaction.
  std::vector<std::vector<char>> straddlers_;

  std::vector<std::string_view> arguments_;  // of all the record's commands
  std::vector<size_t> ends_;                 // in arguments_, of each command of a transaction
  bool transaction_ = false;
  bool open_ = false;  // MULTI came, EXEC did not
  bool record_done_ = false;

  int64_t record_begin_;  // the offset of the byte before the record
  int64_t parsed_ = 0;    // bytes of the record that were parsed
  int64_t offset_;
  absl::Status error_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_RECORD_READER_H_
