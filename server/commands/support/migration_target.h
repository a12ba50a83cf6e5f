#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_MIGRATION_TARGET_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_MIGRATION_TARGET_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloakroom {

/// The connection of MIGRATE to another server: sends requests and reads replies of one line (OK or
/// an error). Each step waits for the other server for at most the time limit, and blocks its
/// thread meanwhile: a worker, never an event loop.
///
/// Thread rule: one thread at a time. After a function failed the connection is of no more use.
class MigrationTarget {
 public:
  explicit MigrationTarget(std::chrono::milliseconds limit);
  ~MigrationTarget();
  MigrationTarget(const MigrationTarget&) = delete;
  MigrationTarget& operator=(const MigrationTarget&) = delete;

  // kDeadlineExceeded: the time ran out. kAborted: the connection broke.

  /// `host` is a name or an address. Several addresses of a name are tried in turn. Also kNotFound:
  /// there is no such host; kUnavailable: nobody listens there; kResourceExhausted: no descriptors
  /// are left. Comes first.
  absl::Status Connect(const std::string& host, const std::string& port);
  absl::Status Send(std::span<const std::string_view> words);
  /// The next reply without its line end: "+OK", "-BUSYKEY …". kAborted also if the line is longer
  /// than any such reply.
  absl::StatusOr<std::string> Reply();

 private:
  struct Link;
  /// Runs what was started until it is done or the time is over.
  absl::Status Finish();
  absl::Status Write(std::string_view bytes);

  const std::chrono::milliseconds limit_;
  std::unique_ptr<Link> link_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_MIGRATION_TARGET_H_
