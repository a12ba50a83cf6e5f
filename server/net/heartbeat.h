#ifndef CLOAKROOM_SERVER_NET_HEARTBEAT_H_
#define CLOAKROOM_SERVER_NET_HEARTBEAT_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "server/context/server.h"
#include "server/net/event_loop.h"
#include "server/net/pulse.h"

namespace cloakroom {

/// Tells systemd that the server is alive, and its status, as long as every event loop answers.
/// When one is stuck it falls silent, and systemd's watchdog restarts the server.
///
/// Thread rule: the main thread. It must outlive the event loops' threads.
class Heartbeat {
 public:
  Heartbeat(boost::asio::io_context& main_loop, Server& server, std::vector<EventLoop*> loops);
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Begins, if systemd listens.
  void Start();

  /// "Ready: 12 clients, 3456 keys, 7.8 MB"; what `systemctl status` shows.
  static std::string StatusText(Server& server);

 private:
  void Beat();
  void AskAll();

  Server& server_;
  std::vector<EventLoop*> loops_;
  Pulse pulse_;
  boost::asio::steady_timer timer_;
  std::chrono::milliseconds period_{};
  bool complained_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_HEARTBEAT_H_
