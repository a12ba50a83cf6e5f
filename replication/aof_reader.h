#ifndef CLOAKROOM_REPLICATION_AOF_READER_H_
#define CLOAKROOM_REPLICATION_AOF_READER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/request_parser.h"
#include "replication/bytes.h"

namespace cloakroom {

/// Reads a file of an append-only log command by command: RESP arrays, and lines that begin with
/// '#', annotations, which it skips. Its memory grows with what has been read of a command, never
/// with what a length claims.
///
/// Thread rule: one thread at a time.
class AofReader {
 public:
  enum class Item : uint8_t {
    kCommand,    ///< words()
    kEnd,        ///< of the file, which is whole
    kTruncated,  ///< the file ends in the middle of a command, or of a transaction
    kError,      ///< what follows is no command: error()
  };

  /// `offset`: of the source's first byte in the file.
  explicit AofReader(ByteSource& source, int64_t offset = 0);

  Item Next();
  /// Valid until the next call.
  std::span<const std::string_view> words() const { return words_; }
  /// Of the command that Next gave, or of what it stumbled over.
  int64_t offset() const { return offset_; }
  /// Where the file could be cut and be whole: behind the last command that was not in a
  /// transaction, or behind its EXEC.
  int64_t whole_offset() const { return whole_offset_; }
  const std::string& error() const { return error_; }
  /// The seconds since 1970 of the last annotation "#TS:…", 0 before any.
  int64_t timestamp_s() const { return timestamp_s_; }

 private:
  std::span<char> Unparsed() { return std::span(buffer_).first(filled_).subspan(begin_); }
  /// Reads more behind what is there. False at the end.
  bool Fill();
  /// Skips an annotation. False: it is not all there.
  bool SkipLine();
  Item Fail(std::string error);
  void NoteWhole();

  ByteSource& source_;
  RequestParser parser_;
  std::vector<char> buffer_;
  size_t begin_ = 0;   ///< of what the parser has not consumed
  size_t filled_ = 0;  ///< bytes in the buffer
  int64_t offset_;     ///< in the file, of begin_ or of the last command
  int64_t next_offset_;
  int64_t whole_offset_;
  int64_t timestamp_s_ = 0;
  bool in_transaction_ = false;
  std::vector<std::string_view> words_;
  std::string error_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_READER_H_
