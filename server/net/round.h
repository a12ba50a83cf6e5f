#ifndef CLOAKROOM_SERVER_NET_ROUND_H_
#define CLOAKROOM_SERVER_NET_ROUND_H_

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "server/execution/executor.h"

namespace cloakroom {

class Connection;

/// The connections that an event loop serves together, because all of them have something to read.
/// First it receives from all. Then it parses, looks up and prefetches the first requests of some,
/// so that their cache misses overlap as those of a pipeline do, and executes them client by
/// client, in the order in which they came.
///
/// What was received lies in a buffer of the round's, since an idle connection owns none. When that
/// is full, what is there is executed before the next client is received from.
///
/// Thread rule: its event loop. A connection that is closed stays in memory until the round is
/// over.
class Round {
 public:
  /// At most so much is received from a client at one go.
  static constexpr size_t kReadBytes = 64 * 1024;

  explicit Round(Executor& executor);
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  /// Has the connection served by the next Serve.
  void Add(Connection& connection) { added_.push_back(&connection); }
  bool empty() const { return added_.empty(); }
  /// Serves those that were added before.
  void Serve();
  /// Forgets closed connections, which are about to be destroyed.
  void DropClosed();

  /// Takes over whom `other`, which is executing a request, has not served yet: those that were
  /// received from already as well, whose bytes stay in the other's buffer.
  void TakeOver(Round& other);

 private:
  static constexpr size_t kBufferBytes = 256 * 1024;
  /// Requests that are looked up together, or a few more.
  static constexpr size_t kTogether = 32;

  struct Received {
    Connection* connection;
    std::span<char> bytes;
  };

  void ReceiveFromSome();
  void ExecuteReceived();

  Executor& executor_;
  std::unique_ptr<std::array<char, kBufferBytes>> buffer_;
  std::vector<Connection*> added_;  ///< for the next Serve
  std::vector<Connection*> ready_;  ///< of the Serve under way
  size_t next_ready_ = 0;           ///< to be received from
  std::vector<Received> received_;
  size_t next_received_ = 0;  ///< to be executed
  size_t begun_ = 0;          ///< those before it have been parsed ahead
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_ROUND_H_
