#ifndef CLOAKROOM_SERVER_NET_ENDING_H_
#define CLOAKROOM_SERVER_NET_ENDING_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "server/server.h"

namespace cloakroom {

/// From the first request to end the server until its data is saved; then the main loop stops.
///
/// As in Redis, an end that may save waits for busy scripts, which SCRIPT KILL can end; one that
/// does not save ends them itself, also while another end waits. A signal that comes while the log
/// gets its first base waits for that.
///
/// Thread rule: the main thread, but for EndScriptsFor.
class Ending {
 public:
  Ending(boost::asio::io_context& main_loop, Server& server);

  /// The end may be asked for again while it is prepared.
  void Request(Server::ShutdownRequest request);
  /// At once, from any thread, for the main thread may wait for a script just now: when the request
  /// is one that saves nothing and is not going to be refused. Nothing refuses it afterwards.
  static void EndScriptsFor(Server& server, Server::ShutdownRequest& request);

  /// Somebody has asked for it, and it has not come yet.
  bool waits() const { return !waiting_.empty(); }

 private:
  void Try();
  bool AwaitsBase(const Server::ShutdownRequest& request) const;

  boost::asio::io_context& main_loop_;
  Server& server_;
  boost::asio::steady_timer again_;
  std::vector<Server::ShutdownRequest> waiting_;
  bool ends_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_ENDING_H_
