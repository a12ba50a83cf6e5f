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
#include "server/net/stream.h"
#include "server/net/timer_queue.h"
#include "server/session/address.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The listening sockets of a server: each TCP address once per event loop (SO_REUSEPORT: in a rush
/// of new clients all accept), a unix socket once, on the first loop. Whoever accepts a connection
/// hands it to the loop that has clearly fewer, if one has.
///
/// CONFIG SET of `bind` and `port` moves it to other addresses; connections stay. TCP's options are
/// set on the listening sockets, from which connections inherit them.
///
/// Thread rule: Open and Close on the main thread, before the loops start and after they and the
/// workers ended.
class Listener {
 public:
  Listener(Server& server, LoopLoads& loads, std::vector<EventLoop*> loops);
  ~Listener();

  /// Binds to what the configuration says. The error is what to tell the operator.
  absl::Status Open();
  /// Begins to accept. Call on the main thread, before the loops start.
  void Start();
  /// Removes the unix socket's file.
  void Close();

 private:
  /// One listening socket. Thread rule: its loop, once that watches it.
  class Port final : public Poller::Watcher {
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
    /// Where connections to it arrive; empty: at several addresses.
    const Address& local() const { return local_; }

   private:
    void OnReady(const Poller::Ready& ready) override;

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
  /// Moves to the addresses that the configuration says now; an error has CONFIG SET's words.
  absl::Status Rebind();
  void Start(const std::shared_ptr<Port>& port);
  /// tcp-keepalive has changed.
  void SetKeepAlive();
  /// Hands those that wait, some at most, to their loops. 0, or the errno that ended it.
  int AcceptSome(Port& port);
  /// On the loop that accepted it: to the loop that it will belong to, or out again.
  void Welcome(EventLoop& loop, std::unique_ptr<Stream> stream, std::shared_ptr<Client> client);
  /// On the loop that it belongs to.
  void Admit(EventLoop& loop, std::unique_ptr<Stream> stream, std::shared_ptr<Client> client);
  std::shared_ptr<Client> NewClient(const Port& port, int fd, const Address& peer);
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
