#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_MIGRATION_TARGET_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_MIGRATION_TARGET_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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

  enum class Connected : uint8_t {
    kYes,
    kRefused,  ///< nobody listens there
    kNo,       ///< there is no such host, or it did not answer in time
  };
  /// `host` is a name or an address. Several addresses of a name are tried in turn.
  [[nodiscard]] Connected Connect(const std::string& host, const std::string& port);
  [[nodiscard]] bool Send(std::span<const std::string_view> words);
  /// The next reply without its line end: "+OK", "-BUSYKEY …". Nullopt: the time ran out, the
  /// connection broke, or the line is longer than any such reply.
  [[nodiscard]] std::optional<std::string> Reply();

 private:
  struct Link;
  /// Runs what was started until it is done or the time is over.
  bool Finish();
  bool Write(std::string_view bytes);

  const std::chrono::milliseconds limit_;
  std::unique_ptr<Link> link_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_MIGRATION_TARGET_H_
