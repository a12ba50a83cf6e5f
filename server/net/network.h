#ifndef CLOAKROOM_SERVER_NET_NETWORK_H_
#define CLOAKROOM_SERVER_NET_NETWORK_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/context/server.h"
#include "server/net/event_loop.h"
#include "server/net/listener.h"
#include "server/net/loop_loads.h"
#include "server/net/ready_context.h"
#include "server/net/replication_thread.h"
#include "server/net/running_loops.h"

namespace cloakroom {

/// The event loops and listening sockets of a server, from Open to the end.
/// Thread rule: the main thread.
class Network {
 public:
  explicit Network(Server& server);
  ~Network();

  /// Binds the sockets. The error is for the operator.
  absl::Status Open() { return listener_.Open(); }
  /// Begins to serve: clients are answered while the caller loads the data.
  void Start();
  /// Serves until SIGTERM, SIGINT or Server::RequestShutdown, and until the data is saved; SIGHUP
  /// reopens the server log meanwhile. `signals`: the descriptor that they are read from; it is
  /// closed at the end.
  void Run(int signals);
  /// Ends everything that Start began.
  void Stop();

 private:
  std::vector<EventLoop*> LoopPointers() const;

  Server& server_;
  ReadyContext main_loop_;
  LoopLoads loads_;
  RunningLoops running_loops_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
  Listener listener_;
  std::unique_ptr<ReplicationThread> replicas_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_NETWORK_H_
