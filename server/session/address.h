#ifndef CLOAKROOM_SERVER_SESSION_ADDRESS_H_
#define CLOAKROOM_SERVER_SESSION_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <utility>

namespace cloakroom {

/// The address of one end of a connection. Most are never shown, so it is put into words only when
/// somebody asks.
///
/// Thread rule: any thread may read it; it is set once.
class Address {
 public:
  Address() = default;
  /// One that has no number: that of a unix socket.
  Address(std::string text) : text_(std::move(text)) {}
  Address(const char* text) : text_(text) {}
  /// An IPv4 or IPv6 one; of any other family it is empty.
  Address(const sockaddr* address, socklen_t size);

  /// "127.0.0.1:50123", "[::1]:50123", "/run/cloakroom.sock:0".
  std::string Text() const;
  bool empty() const { return size_ == 0 && text_.empty(); }
  /// It is this machine's own, in the network's eyes.
  bool loopback() const;

 private:
  std::string text_;
  socklen_t size_ = 0;
  sockaddr_in6 bytes_ = {};  ///< the first size_ of them; a sockaddr_in is shorter
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_ADDRESS_H_
