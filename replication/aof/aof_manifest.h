#ifndef CLOAKROOM_REPLICATION_AOF_AOF_MANIFEST_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_MANIFEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace cloakroom {

/// What a file of the append-only directory is for; the letter is the one in the manifest.
enum class AofFileType : char {
  kBase = 'b',     ///< the whole keyspace at one instant, as RDB or as commands
  kHistory = 'h',  ///< replaced, to be deleted
  kIncr = 'i',     ///< commands since then
};

struct AofFileEntry {
  std::string name;  ///< within the directory
  int64_t seq = 0;
  AofFileType type = AofFileType::kIncr;

  bool operator==(const AofFileEntry&) const = default;
};

/// The manifest of an append-only directory: which files make up the log, in which order. A value;
/// AofDirectory keeps it on the disk. Format: Redis 7.0, one line per file:
///
///   file appendonly.aof.2.base.rdb seq 2 type b
///
/// Not thread safe.
class AofManifest {
 public:
  /// What is wrong, and in which line; 0 if it is no particular line.
  struct ParseError {
    int line = 0;
    std::string text;
    std::string content;  ///< the line, for the server log
  };
  /// Redis' limit on a line, including its end.
  static constexpr size_t kMaxLine = 1024;

  /// Refuses what Redis 7.0 refuses, with its words: empty text, lines too long or malformed,
  /// unknown types, names with a path, two bases, incr files whose numbers do not rise. Empty lines
  /// are errors; lines that begin with '#' are skipped; unknown pairs of words are ignored.
  static std::variant<AofManifest, ParseError> Parse(std::string_view text);
  /// As redis-server writes it: base, history, incr files.
  std::string Print() const;

  bool empty() const { return !base_ && incrs_.empty(); }
  const std::optional<AofFileEntry>& base() const { return base_; }
  const std::vector<AofFileEntry>& incrs() const { return incrs_; }
  const std::vector<AofFileEntry>& history() const { return history_; }

  /// The names of the next files; changes nothing. `prefix` is `appendfilename`.
  AofFileEntry NextBase(std::string_view prefix, bool is_rdb) const;
  AofFileEntry NextIncr(std::string_view prefix) const;

  /// REQUIRES: it came from NextIncr of this manifest, or of one with the same incr files.
  void AddIncr(AofFileEntry incr);
  /// The old base and all incr files but the newest `incrs_kept` become history.
  void ReplaceBase(AofFileEntry base, size_t incrs_kept);
  /// A file from before Redis 7 becomes the only one.
  void AdoptOldFile(std::string name);
  void ForgetHistory() { history_.clear(); }
  /// Numbers up to `seq` are taken by a file that the manifest does not list.
  void SkipIncrNumber(int64_t seq);

  bool operator==(const AofManifest&) const = default;

 private:
  absl::Status Add(AofFileEntry entry);

  std::optional<AofFileEntry> base_;
  std::vector<AofFileEntry> history_;
  std::vector<AofFileEntry> incrs_;
  int64_t base_seq_ = 0;  // the highest ever given
  int64_t incr_seq_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_MANIFEST_H_
