#include "server/process/start_trial.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/log/log.h"
#include "server/log/log_settings.h"
#include "server/net/bind_address.h"
#include "server/net/listen_errors.h"
#include "server/process/start_warnings.h"

namespace cloakroom {
namespace {

using Path = std::filesystem::path;
using boost::system::error_code;
using Tcp = boost::asio::ip::tcp;

constexpr int kNone = 0;  // would succeed

int ErrnoOf(int result) { return result == 0 ? kNone : errno; }

Path FolderOf(const Path& path) { return path.has_parent_path() ? path.parent_path() : Path("."); }

/// The errno of making a file in the folder of `path`.
int MakeErrno(const Path& path) { return ErrnoOf(access(FolderOf(path).c_str(), W_OK | X_OK)); }

void TryDirectory(const std::string& dir, StartTrial& trial) {
  if (int error = ErrnoOf(access(dir.c_str(), X_OK))) {
    trial.errors.push_back(DirectoryError(dir, error));
  }
}

void TryLog(const std::string& file, StartTrial& trial) {
  if (file.empty()) return;
  int error = ErrnoOf(access(file.c_str(), W_OK));
  if (error == ENOENT) error = MakeErrno(file);
  if (error == kNone && std::filesystem::is_directory(file)) error = EISDIR;
  if (error != kNone) trial.errors.push_back(LogFileError(file, error));
}

/// Binds without listening. Ports below 1024 need a privilege, so it tries the real port there.
error_code TryBind(const boost::asio::ip::address& ip, int port) {
  error_code error;
  boost::asio::io_context context;
  Tcp::acceptor acceptor(context);
  Tcp::endpoint endpoint(ip, static_cast<uint16_t>(port < IPPORT_RESERVED ? port : 0));
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.bind(endpoint, error);
  return error == boost::asio::error::address_in_use ? error_code() : error;
}

void TryAddresses(const ConfigStore& config, StartTrial& trial) {
  const int port = config.live().port;
  if (port == 0) return;
  bool any = false;
  for (const BindAddress& address : BindAddresses(config.Words("bind"))) {
    std::optional<boost::asio::ip::address> ip = Resolved(address.name);
    error_code error = ip ? TryBind(*ip, port) : error_code();
    bool good = ip && !error;
    any = any || good || !address.optional;
    if (good || address.optional) continue;
    trial.errors.push_back(ip ? TcpListenError(address.name, port, error)
                              : ResolveError(address.name));
  }
  if (!any) trial.errors.emplace_back(kNoAddressError);
}

/// The errno of making a socket at `path`; `place` is its place in the file system.
int SocketErrno(const std::string& path, const Path& place) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return ENAMETOOLONG;
  struct stat status;
  if (lstat(place.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) return EADDRINUSE;
  return MakeErrno(place);
}

void TryUnixSocket(const ConfigStore& config, StartTrial& trial) {
  const std::string path = config.Text("unixsocket");
  if (path.empty()) {
    if (config.live().port == 0) trial.errors.emplace_back(kNowhereError);
    return;
  }
  const Path place = Path(config.Text("dir")) / path;
  const int error = SocketErrno(path, place);
  if (error == kNone) return;
  std::string text = UnixListenError(path, {error, boost::system::system_category()});
  // systemd makes a service's RuntimeDirectory at its start, and removes it when it stops.
  if (error == ENOENT && FolderOf(FolderOf(place)) == "/run") {
    trial.warnings.push_back(
        absl::StrCat(text, " A service whose RuntimeDirectory it is has it when it runs."));
  } else {
    trial.errors.push_back(std::move(text));
  }
}

}  // namespace

StartTrial TryStart(const ConfigStore& config) {
  StartTrial trial;
  TryLog(LogOptionsFrom(config).file, trial);
  TryDirectory(config.Text("dir"), trial);
  TryAddresses(config, trial);
  TryUnixSocket(config, trial);
  return trial;
}

}  // namespace cloakroom
