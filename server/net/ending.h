#ifndef CLOAKROOM_SERVER_NET_ENDING_H_
#define CLOAKROOM_SERVER_NET_ENDING_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "server/context/server.h"

namespace cloakroom {

/// From the first request to end the server until its data is saved; then the main loop stops.
///
/// An end that may save waits for scripts that have written, and says so; all others are ended, as
/// SCRIPT KILL would, as soon as it has to wait for them, and so are those that begin meanwhile.
/// One that does not save ends them all, also while another end waits, or saves. A signal that
/// comes while the log gets its first base waits for that.
///
/// The main loop never stands still for any of this, so that signals, and systemd, are heard.
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
  /// When those who are in the way are gone.
  /// Looks again soon; scripts that last, and have written nothing, are ended meanwhile.
  void TryAgain(bool hold_back);
  void LookAgain();
  bool AwaitsBase(const Server::ShutdownRequest& request) const;

  boost::asio::io_context& main_loop_;
  Server& server_;
  boost::asio::steady_timer again_;
  std::vector<Server::ShutdownRequest> waiting_;
  bool trying_ = false;  ///< the main loop turns from inside Try
  bool told_ = false;    ///< whom it waits for
  bool ends_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_ENDING_H_
