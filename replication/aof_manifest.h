#ifndef CLOAKROOM_REPLICATION_AOF_MANIFEST_H_
#define CLOAKROOM_REPLICATION_AOF_MANIFEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/files.h"

namespace cloakroom {

/// A file of an append-only log.
struct AofFile {
  std::string name;  ///< in the log's folder
  int64_t seq = 0;
};

/// Which files an append-only log consists of: Redis 7's multi-part format. A base holds the state
/// up to a point in time, the incremental files what has happened since, in the order of their
/// sequence numbers; history files are those that a rewrite made superfluous.
///
/// As text, a line each: file appendonly.aof.2.base.rdb seq 2 type b
///
/// Thread rule: a value; that of its owner.
class AofManifest {
 public:
  /// `name` is appendfilename, which all files' names begin with.
  explicit AofManifest(std::string name) : name_(std::move(name)) {}

  /// Reads the text. The error says which line, and what is wrong with it; this object is then as
  /// it was.
  std::optional<std::string> Parse(std::string_view text);
  std::string Text() const;

  bool empty() const { return !base_ && incrs_.empty(); }
  const std::optional<AofFile>& base() const { return base_; }
  const std::vector<AofFile>& incrs() const { return incrs_; }
  const std::vector<AofFile>& history() const { return history_; }
  /// Base and incremental files, in the order in which they are to be loaded.
  std::vector<AofFile> InOrder() const;

  /// The name of the manifest itself.
  std::string file_name() const { return name_ + ".manifest"; }

  /// Adds the next incremental file and returns it.
  AofFile AddIncr();
  /// Puts the next base in place of the old one, and of all incremental files before `incr_seq`,
  /// which become history. `rdb`: what the base is written in, else in commands.
  AofFile ReplaceBase(bool rdb, int64_t incr_seq);
  /// Takes a log of one file, as Redis had it before version 7, for the base.
  void AdoptBase(std::string name);
  void ForgetHistory() { history_.clear(); }

 private:
  std::optional<std::string> ParseLine(std::string_view line);

  std::string name_;
  std::optional<AofFile> base_;
  std::vector<AofFile> incrs_;
  std::vector<AofFile> history_;
  int64_t last_base_seq_ = 0;
  int64_t last_incr_seq_ = 0;
};

/// Writes the manifest into its folder at one stroke: the old one or the new one is there after a
/// crash, and all of it.
FileError WriteManifest(Files& files, const std::string& folder, const AofManifest& manifest);

/// Reads all of a file.
FileError ReadWholeFile(Files& files, const std::string& path, std::string* text);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_MANIFEST_H_
