#ifndef CLOAKROOM_CLIENTS_DRILL_LEDGER_FILE_H_
#define CLOAKROOM_CLIENTS_DRILL_LEDGER_FILE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "clients/drill/ledger.h"

namespace cloakroom::drill {

/// A ledger on the disk: what was acknowledged is known even when the drill does not live to report
/// it. A text file; each line is the time in milliseconds since the run's start, the client, the
/// number of its write, and the level. A write whose level was raised has another line.
///
/// Not thread safe.
class LedgerFile {
 public:
  LedgerFile() = default;
  ~LedgerFile();
  LedgerFile(const LedgerFile&) = delete;
  LedgerFile& operator=(const LedgerFile&) = delete;

  /// Makes the file; an existing one is an error.
  absl::Status Create(const std::string& path, const std::string& heading);
  /// Appends the entries that are not in the file yet, or not with their level. They are on the
  /// disk when it returns.
  absl::Status Append(const Ledger& ledger);
  /// Appends what was lost, likewise: lines that begin with "lost".
  absl::Status AppendLosses(const Ledger& ledger);

 private:
  absl::Status Write(const std::string& text);

  int file_ = -1;
  std::string path_;
  std::vector<std::vector<Level>> written_;  // of each client, by entry
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_LEDGER_FILE_H_
