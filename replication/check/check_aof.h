#ifndef CLOAKROOM_REPLICATION_CHECK_CHECK_AOF_H_
#define CLOAKROOM_REPLICATION_CHECK_CHECK_AOF_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/files/files.h"

namespace cloakroom {

/// The task of cloakroom-check-aof.
struct CheckAofOptions {
  std::string path;           ///< of a manifest or of a single log
  bool fix = false;           ///< cut a torn tail of the last file, after asking
  int64_t truncate_to_s = 0;  ///< cut what is later; 0: nothing
};

/// How it talks to the user and to the RDB checker.
struct CheckAofIo {
  std::function<void(std::string_view)> print;
  /// Asks the user: true for yes. The question is printed already.
  std::function<bool()> confirm;
  /// Checks the RDB file with which `path` begins, printing what it finds (under `name`), and
  /// returns its length; an error if it is broken.
  std::function<absl::StatusOr<int64_t>(const std::string& path, const std::string& name)>
      check_rdb;
};

/// Checks a log, one file or a manifest and its files, and prints what redis-check-aof 7.0 prints.
/// Returns the exit code: 0 if the log is good, or was made good.
int CheckAof(Files& files, const CheckAofOptions& options, const CheckAofIo& io);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_CHECK_CHECK_AOF_H_
