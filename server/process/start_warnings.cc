#include "server/process/start_warnings.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

constexpr int64_t kMegabyte = 1024 * 1024;
/// The share of the machine's memory for data; the rest is for buffers, the system and growth.
constexpr int64_t kDataShareOfFour = 3;

bool IsLoopback(std::string_view address) {
  if (address.starts_with('-')) address.remove_prefix(1);
  return address == "::1" || address == "localhost" || address.starts_with("127.");
}

bool ListensToOthers(const ConfigStore& config) {
  if (config.live().port == 0) return false;
  std::vector<std::string> addresses = config.Words("bind");
  return addresses.empty() ||
         !std::all_of(addresses.begin(), addresses.end(),
                      [](const std::string& address) { return IsLoopback(address); });
}

std::string Access(const ConfigStore& config) {
  if (!config.Text("requirepass").empty() || !ListensToOthers(config)) return "";
  if (config.live().protected_mode) {
    return "There is no password, so clients on other machines are refused (protected-mode). Set "
           "'requirepass' for them, or 'bind 127.0.0.1 -::1' if there are none.";
  }
  return "There is no password and protected-mode is off: whoever reaches the port reads and "
         "deletes everything. Set 'requirepass', or bind to an address that only the web nodes "
         "reach.";
}

std::string Memory(const ConfigStore& config, const MachineLimits& limits) {
  int64_t maxmemory = config.live().maxmemory_bytes;
  int64_t room_mb = limits.memory_bytes / 4 * kDataShareOfFour / kMegabyte;
  std::string advice = room_mb == 0 ? "three quarters of the machine's memory"
                                    : absl::StrCat("'maxmemory ", room_mb, "mb'");
  if (maxmemory == 0) {
    return absl::StrCat(
        "'maxmemory' is 0, so the data may grow until the system kills the "
        "process. Set ",
        advice, " if this machine is for Cloakroom alone, and less otherwise.");
  }
  if (limits.memory_bytes == 0 || maxmemory <= limits.memory_bytes) return "";
  return absl::StrCat("'maxmemory' is ", maxmemory / kMegabyte, " MB, and there are ",
                      limits.memory_bytes / kMegabyte, " MB: the system will kill the process ",
                      "before the limit is reached. Set ", advice, " or less.");
}

std::string Backlog(const ConfigStore& config, const MachineLimits& limits) {
  int64_t wanted = config.live().tcp_backlog;
  if (limits.listen_backlog == 0 || limits.listen_backlog >= wanted) return "";
  return absl::StrCat("The system lets only ", limits.listen_backlog, " connections wait, not the ",
                      wanted, " of 'tcp-backlog': a rush of new ",
                      "clients may be turned away. Run 'sysctl -w net.core.somaxconn=", wanted,
                      "' and put the setting into /etc/sysctl.d/.");
}

std::string User() {
  const passwd* user = getpwuid(geteuid());
  return user == nullptr ? std::to_string(geteuid()) : user->pw_name;
}

std::string Writable(const std::string& dir) {
  if (access(dir.c_str(), W_OK | X_OK) == 0) return "";
  std::string reason = std::strerror(errno);
  return absl::StrCat("Cannot write to '", dir, "', which 'dir' names (", reason,
                      "): nothing can be saved there. Run 'chown ", User(), " ", dir,
                      "', or change 'dir'.");
}

}  // namespace

std::vector<std::string> StartWarnings(const ConfigStore& config, const MachineLimits& limits) {
  std::vector<std::string> warnings = {Access(config), Memory(config, limits),
                                       Backlog(config, limits), Writable(config.Text("dir"))};
  std::erase(warnings, "");
  return warnings;
}

absl::Status MayStart(const ConfigStore& config) {
  std::string found;
  if (!config.Text("aclfile").empty()) found = "aclfile";
  for (const char* name : {"user", "rename-command"}) {
    if (!config.Repeated(name).empty()) found = name;
  }
  if (found.empty()) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "'", found,
      "' shuts clients out in Redis and nobody in this version: Cloakroom does not start with it. "
      "Take it out of the configuration; 'requirepass', 'bind' and 'protected-mode' keep strangers "
      "away."));
}

std::string DirectoryError(const std::string& dir, int error) {
  return absl::StrCat("Can't chdir to '", dir, "', which 'dir' names: ", std::strerror(error),
                      ". Make the directory, let user ", User(), " enter it, or change 'dir'.");
}

}  // namespace cloakroom
