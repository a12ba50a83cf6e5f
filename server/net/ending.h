#ifndef CLOAKROOM_SERVER_NET_ENDING_H_
#define CLOAKROOM_SERVER_NET_ENDING_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "server/context/server.h"

namespace cloakroom {

/// From the first request to end the server until its data is saved; then the main loop stops.
///
/// An end that may save waits for scripts that have written, and says so. As soon as it has to wait
/// for other scripts, it ends them as SCRIPT KILL would, and those that begin meanwhile. An end
/// that does not save ends all scripts, even while another end waits or saves. A signal that comes
/// while the log gets its first base waits for the base.
///
/// It first waits until the replicas have everything, for shutdown-timeout seconds at most, while
/// nobody may write; meanwhile it may be aborted, and so while it waits for a script. When the data
/// is saved and all gates are closed, the replicas get the rest.
///
/// None of this blocks the main loop, so that it still serves signals and systemd.
///
/// Thread rule: the main thread, except EndScriptsFor.
class Ending {
 public:
  /// `begins`: called once, when nothing can call the end off any more: stops accepting clients.
  Ending(boost::asio::io_context& main_loop, Server& server, std::function<void()> begins);

  /// The end may be asked for again while it is prepared.
  void Request(Server::ShutdownRequest request);
  /// Ends all scripts at once if the request saves nothing and will not be refused; nothing refuses
  /// it afterwards. But if no script is busy, and replicas are to be waited for, that comes first.
  /// Any thread, since the main thread may be waiting for a script.
  static void EndScriptsFor(Server& server, Server::ShutdownRequest& request);

  /// Whether an end was requested and has not come yet.
  bool waits() const { return !waiting_.empty(); }

 private:
  void Try();
  /// Tries again soon. Meanwhile, ends slow scripts that have written nothing.
  void TryAgain(bool hold_back);
  void LookAgain();
  /// Whether the replicas have what they need before anything is saved, or need not be waited for.
  bool CaughtUp();
  /// False: there is nothing to abort, or no way back.
  bool Abort();
  /// The server goes on; whoever has asked for the end gets an error.
  void GoOn();
  /// The data is saved: stops the main loop as soon as the replicas have everything.
  void AwaitReplicas();
  std::chrono::steady_clock::time_point UntilTimeOut() const;
  bool AwaitsBase(const Server::ShutdownRequest& request) const;

  boost::asio::io_context& main_loop_;
  Server& server_;
  const std::function<void()> begins_;
  boost::asio::steady_timer again_;
  std::vector<Server::ShutdownRequest> waiting_;
  bool trying_ = false;  ///< the main loop turns from inside Try
  bool told_ = false;    ///< the server log, what it waits for
  bool ends_ = false;
  /// It waits for replicas until then; not set before the first wait.
  std::optional<std::chrono::steady_clock::time_point> replicas_until_;
  std::optional<int64_t> caught_up_at_;  ///< the offset that the replicas must get before it saves
  bool told_of_replicas_ = false;
  std::optional<int64_t> last_offset_;  ///< that the replicas must get in the end
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_ENDING_H_
