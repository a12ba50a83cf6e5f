#ifndef CLOAKROOM_SERVER_NET_LISTENER_H_
#define CLOAKROOM_SERVER_NET_LISTENER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "server/net/event_loop.h"
#include "server/net/poller.h"
#include "server/net/ready_context.h"
#include "server/net/timer_queue.h"
#include "server/session/address.h"
#include "server/session/client.h"
#include "server/session/socket_stream.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The listening sockets of a server: one per TCP address and event loop (SO_REUSEPORT, so that in
/// a rush of new clients all loops accept), and one unix socket, on the first loop. The loop that
/// accepts a connection hands it to another that has clearly fewer, if there is one.
///
/// CONFIG SET of `bind` and `port` moves it to other addresses; connections stay. TCP options are
/// set on the listening sockets; connections inherit them.
///
/// Thread rule: the main thread calls what is public; Open before the loops start, Close after they
/// and the workers have ended.
class Listener {
 public:
  Listener(Server& server, LoopLoads& loads, std::vector<EventLoop*> loops);
  ~Listener();

  /// Binds to what the configuration says. The error is for the operator.
  absl::Status Open();
  /// Begins to accept. Call on the main thread, before the loops start.
  void Start();
  /// Accepts no more. When it returns, a client that loses its connection and comes again is
  /// refused, rather than accepted and cut off once more. Call it while the loops run, but no
  /// script does.
  void StopAccepting();
  /// Removes the unix socket's file.
  void Close();

 private:
  /// One listening socket. Thread rule: its loop, once that watches it.
  class Port final : public Poller::Watcher, public std::enable_shared_from_this<Port> {
   public:
    /// Owns `fd`, which must not block.
    Port(Listener& listener, EventLoop& loop, int fd, bool unix_socket);
    ~Port() { Close(); }

    /// Begins to accept.
    void Watch();
    /// Accepts no more.
    void Close();

    EventLoop& loop() const { return loop_; }
    int fd() const { return fd_; }
    bool unix_socket() const { return unix_socket_; }
    /// The address where connections arrive; empty: there are several.
    const Address& local() const { return local_; }

   private:
    void OnReady(const Poller::Ready& ready) override;
    void Accept();

    Listener& listener_;
    EventLoop& loop_;
    int fd_;
    const bool unix_socket_;
    Address local_;
    TimerQueue::Timer again_;  ///< after an error
    bool failing_ = false;
  };
  using Ports = std::vector<std::shared_ptr<Port>>;

  /// Binds to all addresses of `bind`, or to none. `probe`: notice another server on the port.
  absl::Status OpenTcp(Ports& ports, bool probe);
  absl::Status OpenAddress(const std::string& address, Ports& ports, bool probe);
  absl::Status OpenUnix(const std::string& path, Ports& ports);
  /// Moves to the addresses that the configuration says now. An error has the words of CONFIG SET's
  /// reply.
  absl::Status Rebind();
  void Start(const std::shared_ptr<Port>& port);
  /// Applies a change of tcp-keepalive.
  void SetKeepAlive();
  /// Accepts some of the clients that wait, and hands them to their loops. Returns 0, or the errno
  /// that ended it.
  int AcceptSome(Port& port);
  /// Hands a connection to its loop, or turns it away. On the loop that accepted it.
  void Welcome(EventLoop& loop, std::unique_ptr<SocketStream> stream,
               std::shared_ptr<Client> client);
  /// Begins to serve a connection. On the loop that it belongs to.
  void Admit(EventLoop& loop, std::unique_ptr<SocketStream> stream, std::shared_ptr<Client> client);
  std::shared_ptr<Client> NewClient(const Port& port, int fd, const Address& peer);
  /// Whether protected mode turns it away.
  bool Denied(const Client& client);

  Server& server_;
  LoopLoads& loads_;
  std::vector<EventLoop*> loops_;
  Mutex mutex_;
  /// For sockets until they listen; safe for any thread.
  ReadyContext opening_;
  Ports ports_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;  ///< opens no more
  int tcp_port_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string unix_path_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_LISTENER_H_
