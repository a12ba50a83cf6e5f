#ifndef CLOAKROOM_REPLICATION_AOF_AOF_SCAN_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_SCAN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "replication/files/files.h"

namespace cloakroom {

/// What redis-check-aof 7.0 would find in the commands of one file. More forgiving than AofReader
/// where Redis' tool is (an empty command is a command), and with its words, offsets and count of
/// lines.
struct AofScan {
  int64_t valid_up_to = 0;
  /// What is wrong, as it is printed, without a line end.
  std::optional<std::string> problem;
  /// The file's first annotation later than asked for, if any; the scan ends there.
  std::optional<int64_t> later_at;
};

/// What Redis' tool calls a file, now this way, now that.
struct AofScanNames {
  std::string name;  ///< as the manifest has it
  std::string path;
};

/// Scans `file` from where it stands, `offset` bytes behind its begin. `line` counts lines over
/// several files, and is moved on. Annotations later than `until_s` end the scan, if it is not 0.
/// Memory: a few hundred KB, whatever the file claims.
///
/// The error: a FileError, when the file cannot be read to its end; or kInvalidArgument, of an
/// annotation whose time cannot be read, where it matters.
absl::StatusOr<AofScan> ScanAof(ReadableFile& file, const AofScanNames& names, int64_t offset,
                                int64_t until_s, int64_t* line);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_SCAN_H_
