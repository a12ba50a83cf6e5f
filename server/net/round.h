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
/// The round first receives from all. Then it parses, looks up and prefetches the first requests of
/// some, so that their cache misses overlap as in a pipeline, and executes them client by client,
/// in the order of Add.
///
/// The round owns the buffer that it receives into, since an idle connection owns none. When the
/// buffer is full, the round executes what is there before it receives from the next client.
///
/// Thread rule: its event loop. A connection that is closed stays in memory until the round is
/// over.
class Round {
 public:
  /// The most that is received from one client in one round.
  static constexpr size_t kReadBytes = 64 * 1024;

  explicit Round(Executor& executor);
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;

  /// The next Serve serves the connection.
  void Add(Connection& connection) { added_.push_back(&connection); }
  bool empty() const { return added_.empty(); }
  /// Serves the connections that were added before.
  void Serve();
  /// Forgets closed connections, which are about to be destroyed.
  void DropClosed();

  /// Takes over the connections that `other`, which is executing a request, has not served yet.
  /// This includes those that it has received from; their bytes stay in its buffer.
  void TakeOver(Round& other);

 private:
  static constexpr size_t kBufferBytes = 256 * 1024;
  /// How many requests are looked up together; it may be a few more.
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
  std::vector<Connection*> ready_;  ///< in the Serve under way
  size_t next_ready_ = 0;           ///< next to receive from
  std::vector<Received> received_;
  size_t next_received_ = 0;  ///< next to execute
  size_t begun_ = 0;          ///< those before this one were parsed ahead
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_ROUND_H_
