#ifndef CLOAKROOM_REPLICATION_AOF_AOF_BACKLOG_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_BACKLOG_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "replication/stream/change_stream.h"

namespace cloakroom {

/// A place in a history, where a log that was loaded ends.
struct AofPlace {
  std::string id;      ///< 40 hexadecimal digits
  int64_t offset = 0;  ///< how many bytes of the history the data has
  int64_t begin = 0;   ///< the stream has its last bytes again, from this position on to the tail
  int64_t first_record = 0;  ///< a position at or behind that at which a record begins
  int db = 0;                ///< what the history has selected there
};

/// Follows a log that is loaded at the start of a server: finds out at which place of which history
/// it ends (AofHistory), and puts the last bytes before that back in the stream, for replicas to
/// continue from.
///
/// Believes only what accounts for each byte: otherwise there is no place, and the server's peers
/// need a full sync. Bytes go back to the stream only if none between them and the end is missing.
/// In the place of bytes that the log left out (PING, PUBLISH) come as many empty lines: the
/// protocol allows them from a primary, and a replica counts them with the next command.
///
/// Memory: that of the stream, for the bytes that it keeps. Thread rule: one thread, and nobody
/// else uses the stream.
class AofBacklog final : private StreamReader {
 public:
  /// Puts back `most_bytes` of the stream at most, and up to 64 KB besides.
  AofBacklog(ChangeStream& stream, int64_t most_bytes);
  /// What nobody else keeps of the stream may go from then on.
  ~AofBacklog() override;
  AofBacklog(const AofBacklog&) = delete;
  AofBacklog& operator=(const AofBacklog&) = delete;

  /// The next file of the log begins.
  void BeginFile();
  /// A field in the head of the file's RDB, which may be one that says the place.
  void NoteField(std::string_view name, std::string_view value);
  /// A line that begins with '#', without its end.
  void NoteAnnotation(std::string_view line);
  /// A command that was executed. `bytes`: as it stands in the log. `in_transaction`: it does not
  /// count before an EXEC.
  void NoteCommand(std::span<const std::string_view> arguments, std::string_view bytes,
                   bool in_transaction);

  /// Where the log ends, if it says so. What came of a transaction without EXEC does not count.
  std::optional<AofPlace> place() const;
  /// Whether the log makes any statements, right or wrong.
  bool makes_statements() const { return makes_statements_; }

 private:
  struct Point {
    std::string id;
    int64_t offset = 0;
    int db = 0;  ///< of before_
  };

  void StreamMoved() override {}
  void State(std::string_view id, int64_t offset);
  void StateOffset(int64_t offset);
  void Forget();
  void PutBack(std::string_view bytes);
  void NoteSelection(std::span<const std::string_view> arguments);

  ChangeStream& stream_;
  const int64_t most_bytes_;
  /// Where the last command ended, if that is known.
  std::optional<Point> point_;
  /// Where the file before ended, as long as this one has not changed anything.
  std::optional<Point> before_;
  int64_t begin_;       ///< the bytes from this position on have no gap
  int64_t kept_from_;   ///< what the stream was told to keep
  std::string record_;  ///< the transaction so far
  int db_ = 0;          ///< selected, of what counts
  int record_db_ = 0;   ///< selected within the transaction
  bool first_ = true;   ///< no command of the file has come
  bool makes_statements_ = false;
  Point head_;  ///< what the fields of an RDB have said so far
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_BACKLOG_H_
