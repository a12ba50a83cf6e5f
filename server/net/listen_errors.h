#ifndef CLOAKROOM_SERVER_NET_LISTEN_ERRORS_H_
#define CLOAKROOM_SERVER_NET_LISTEN_ERRORS_H_

#include <boost/system/error_code.hpp>
#include <string>

namespace cloakroom {

// Why the server cannot listen: first Redis' words, which tools search for, then what to do. Pure,
// except LookAtUnixPath.

inline constexpr char kNowhereError[] =
    "Configured to not listen anywhere: set 'port' or 'unixsocket'.";
inline constexpr char kNoAddressError[] = "None of the addresses in 'bind' could be listened on.";

std::string ResolveError(const std::string& address);
std::string TcpListenError(const std::string& address, int port, boost::system::error_code error);
std::string UnixListenError(const std::string& path, boost::system::error_code error);

/// What is at a path before we listen there.
enum class UnixPath {
  kFree,     // nothing
  kStale,    // a socket without a listener, left by a server that died
  kServed,   // a socket on which a server listens
  kOccupied  // not a socket, or we may not touch it
};
UnixPath LookAtUnixPath(const std::string& path);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_LISTEN_ERRORS_H_
