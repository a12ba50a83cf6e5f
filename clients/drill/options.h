#ifndef CLOAKROOM_CLIENTS_DRILL_OPTIONS_H_
#define CLOAKROOM_CLIENTS_DRILL_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/address.h"

namespace cloakroom::drill {

/// Names the variables of the environment from which passwords are taken.
inline constexpr char kPasswordVariable[] = "CLOAKROOM_DRILL_PASSWORD";
inline constexpr char kSentinelPasswordVariable[] = "CLOAKROOM_DRILL_SENTINEL_PASSWORD";

/// With what a connection logs in; nothing is sent while the password is empty.
struct Credentials {
  std::string user;
  std::string password;
};

/// Which topology is meant: what Sentinels say of a primary's name, or a primary.
struct Where {
  std::vector<Address> sentinels;
  std::string master;  ///< the primary's name there; empty without Sentinels
  Address primary;     ///< without Sentinels
  Credentials login;
  Credentials sentinel_login;

  bool has_sentinels() const { return !sentinels.empty(); }
  /// What --i-mean must repeat.
  std::string name() const { return has_sentinels() ? master : ToText(primary); }
};

struct CheckOptions {
  int64_t seconds = 5;  ///< between the two samples that give the rate of writes
  int64_t away_s = 60;  ///< how long a replica is to be able to be away
  bool json = false;
};

enum class How {
  kGraceful,  ///< FAILOVER, or SENTINEL FAILOVER while writes are paused
  kKill,      ///< the primary ends without saving
  kFreeze,    ///< the primary answers nobody for a time
  kCut,       ///< a command of the user cuts its network
  kSentinel,  ///< SENTINEL FAILOVER, as an operator types it
};
std::string_view ToText(How how);

struct RunOptions {
  How how = How::kGraceful;
  std::string i_mean;
  bool live = false;
  bool back = false;
  std::optional<Address> at;  ///< where clients find the primary: a virtual address, or a proxy
  int64_t clients = 50;
  int64_t rate = 5;  ///< visits of each client in a second
  int64_t database = 2;
  int64_t before_s = 10;      ///< of load before the act
  int64_t after_s = 10;       ///< of load once all clients are back
  int64_t limit_s = 60;       ///< how long to wait for the clients to come back
  int64_t hold_s = 15;        ///< how long a freeze or a cut lasts
  int64_t timeout_ms = 2500;  ///< of a client's connect and of each of its reads
  std::string kill_command;
  std::string cut_command;
  std::string heal_command;
  std::string report;  ///< what the files' names begin with; empty: "drill-<run>"
};

struct Options {
  enum class Task { kHelp, kVersion, kCheck, kRun };
  Task task = Task::kHelp;
  Where where;
  CheckOptions check;
  RunOptions run;
};

/// Reads the arguments without the program's name. `variable` gives the value of a variable of the
/// environment, "" if there is none. InvalidArgument says what is wrong, and never repeats a
/// password. Pure.
absl::StatusOr<Options> ParseOptions(std::span<const std::string_view> arguments,
                                     const std::function<std::string(const char* name)>& variable);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_OPTIONS_H_
