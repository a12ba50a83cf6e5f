#ifndef CLOAKROOM_REPLICATION_AOF_AOF_SCAN_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_SCAN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "replication/files/files.h"

namespace cloakroom {

/// What redis-check-aof 7.0 would find in the commands of one file. More tolerant than AofReader
/// where Redis' tool is (an empty command is a command), with the tool's words, offsets and count
/// of lines.
struct AofScan {
  int64_t valid_up_to = 0;
  /// The problem, as the tool prints it, without a line end.
  std::optional<std::string> problem;
  /// The file's first annotation later than `until_s`, if any; the scan ends there.
  std::optional<int64_t> later_at;
};

/// The two names that Redis' tool uses for a file.
struct AofScanNames {
  std::string name;  ///< as in the manifest
  std::string path;
};

/// Scans `file` from its present position, `offset` bytes behind its start. `line` counts lines
/// over several files, and is advanced. Annotations later than `until_s` end the scan, unless it is
/// 0. Memory: a few hundred KB, whatever the file claims.
///
/// The error: a FileError if the file cannot be read to its end; or kInvalidArgument for an
/// unreadable time in an annotation, if it matters.
absl::StatusOr<AofScan> ScanAof(ReadableFile& file, const AofScanNames& names, int64_t offset,
                                int64_t until_s, int64_t* line);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_SCAN_H_
