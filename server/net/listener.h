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

#include "absl/base/thread_annotations.h"
#include "server/net/connection.h"
#include "server/net/event_loop.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The listening sockets of a server: each TCP address once per event loop (SO_REUSEPORT: in a rush
/// of new clients all accept), a unix socket once, on the first loop. Whoever accepts a connection
/// hands it to the loop that has clearly fewer, if one has.
///
/// CONFIG SET of `bind` and `port` moves it to other addresses; connections stay.
///
/// Thread rule: Open and Close on the main thread, before the loops start and after they and the
/// workers ended.
class Listener {
 public:
  Listener(Server& server, LoopLoads& loads, std::vector<EventLoop*> loops);
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

  /// Lives as long as its coroutine accepts.
  struct Port {
    EventLoop* loop;
    Acceptor acceptor;
    bool unix_socket;
  };
  using Ports = std::vector<std::shared_ptr<Port>>;

  /// Binds to all addresses of `bind`, or to none. `probe`: notice another server on the port.
  std::optional<std::string> OpenTcp(Ports& ports, bool probe);
  std::optional<std::string> OpenAddress(const std::string& address, Ports& ports, bool probe);
  std::optional<std::string> OpenUnix(const std::string& path, Ports& ports);
  /// Moves to the addresses that the configuration says now; what refuses to, as CONFIG SET says
  /// it.
  std::string Rebind();
  void Start(const std::shared_ptr<Port>& port);
  boost::asio::awaitable<void, Connection::Executor> Accept(std::shared_ptr<Port> port);
  /// Hands those that wait, some at most, to their loops. The error that ended it, if one did.
  boost::system::error_code AcceptSome(Port& port);
  /// On the loop that accepted it: to the loop that it will belong to, or out again.
  void Welcome(EventLoop& loop, Socket socket, std::shared_ptr<Client> client);
  /// On the loop that it belongs to.
  void Admit(EventLoop& loop, Socket socket, std::shared_ptr<Client> client);
  std::shared_ptr<Client> NewClient(const Socket& socket, const Protocol::endpoint& peer,
                                    bool unix_socket);
  /// Whether protected mode turns it away.
  bool Denied(const Client& client);

  Server& server_;
  LoopLoads& loads_;
  std::vector<EventLoop*> loops_;
  Mutex mutex_;
  Ports ports_ ABSL_GUARDED_BY(mutex_);
  int tcp_port_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string unix_path_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_LISTENER_H_
