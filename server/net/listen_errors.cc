#include "server/net/listen_errors.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

std::string TcpRemedy(int port, int error) {
  switch (error) {
    case EADDRINUSE:
      return absl::StrCat("Another server has the port: 'ss -ltnp sport = :", port,
                          "' shows which. Stop it, or set another 'port'.");
    case EADDRNOTAVAIL:
      return "This machine does not have the address: correct 'bind', or write a '-' before the "
             "address to do without.";
    case EACCES:
      return "Ports below 1024 are for root: set a higher 'port'.";
    default:
      return "Correct 'bind' and 'port'.";
  }
}

std::string UnixRemedy(const std::string& path, int error) {
  std::string folder = path.substr(0, path.rfind('/') + 1);
  switch (error) {
    case EADDRINUSE:
      return "Another server listens there, or it is no socket: stop that server, remove the file, "
             "or set another 'unixsocket'.";
    case ENOENT:
      return absl::StrCat("Make the directory ", folder, ", or set another 'unixsocket'.");
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StrCat("Let the server's user write to ", folder.empty() ? "'dir'" : folder,
                          ", or set another 'unixsocket'.");
    case ENAMETOOLONG:
      return absl::StrCat("A socket's path has at most ", sizeof(sockaddr_un::sun_path) - 1,
                          " characters: set a shorter 'unixsocket'.");
    default:
      return "Set another 'unixsocket'.";
  }
}

}  // namespace

std::string ResolveError(const std::string& address) {
  return absl::StrCat("Could not resolve the address '", address, "' in 'bind'.");
}

std::string TcpListenError(const std::string& address, int port, boost::system::error_code error) {
  return absl::StrCat("Could not create server TCP listening socket ", address, ":", port,
                      ": bind: ", error.message(), ". ", TcpRemedy(port, error.value()));
}

std::string UnixListenError(const std::string& path, boost::system::error_code error) {
  return absl::StrCat("Failed opening Unix socket ", path, ": bind: ", error.message(), ". ",
                      UnixRemedy(path, error.value()));
}

UnixPath LookAtUnixPath(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return UnixPath::kFree;
  sockaddr_un address{};
  if (!S_ISSOCK(status.st_mode) || path.size() >= sizeof(address.sun_path)) {
    return UnixPath::kOccupied;
  }
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return UnixPath::kOccupied;
  int result = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  int error = errno;
  close(fd);
  // A server whose backlog is full counts as one too.
  if (result == 0 || error == EAGAIN) return UnixPath::kServed;
  return error == ECONNREFUSED ? UnixPath::kStale : UnixPath::kOccupied;
}

}  // namespace cloakroom
