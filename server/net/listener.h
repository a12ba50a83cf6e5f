#ifndef CLOAKROOM_SERVER_NET_LISTENER_H_
#define CLOAKROOM_SERVER_NET_LISTENER_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/net/connection.h"
#include "server/net/event_loop.h"

namespace cloakroom {

/// The listening sockets of a server: each TCP address once per event loop (SO_REUSEPORT: the
/// kernel spreads connections), a unix socket once, whose connections go to the loops in turn.
///
/// Thread rule: Open and Close on the main thread, before the loops start and after they ended.
class Listener {
 public:
  Listener(Server& server, std::vector<EventLoop*> loops);
  ~Listener();

  /// Binds to what the configuration says. The error is what to tell the operator.
  std::optional<std::string> Open();
  /// Begins to accept. Call on the main thread, before the loops start.
  void Start();
  /// Removes the unix socket's file.
  void Close();

 private:
  using Protocol = boost::asio::generic::stream_protocol;
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol, Connection::Executor>;
  using Socket = Connection::Socket;

  struct Port {
    EventLoop* loop;
    Acceptor acceptor;
    bool unix_socket;
  };

  std::optional<std::string> OpenTcp(const std::string& address);
  std::optional<std::string> OpenUnix(const std::string& path);
  boost::asio::awaitable<void, Connection::Executor> Accept(Port& port);
  void Admit(EventLoop& loop, Socket socket, bool unix_socket);
  /// What refuses a client at the door, or empty.
  std::string Refusal(const Client& client);

  Server& server_;
  std::vector<EventLoop*> loops_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::string unix_path_;
  size_t next_loop_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_LISTENER_H_
