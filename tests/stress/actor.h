#ifndef CLOAKROOM_TESTS_STRESS_ACTOR_H_
#define CLOAKROOM_TESTS_STRESS_ACTOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "protocol/reply_value.h"
#include "server/context/server.h"
#include "server/execution/executor.h"
#include "server/session/blocked_request.h"
#include "storage/gate/gate_tickets.h"

namespace cloakroom {

/// A client on an event loop of its own, without sockets: it sends a request, and waits where a
/// connection would be called back. Thread rule: one thread, the only one to use its loop's number.
class Actor {
 public:
  Actor(Server& server, int event_loop, int db);
  ~Actor();
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  /// The reply of one request. An error fails the test, unless the request may be refused for
  /// memory (RunOrRefused).
  ReplyValue Run(std::vector<std::string> args);
  ReplyValue RunOrRefused(std::vector<std::string> args);
  int64_t RunInteger(std::vector<std::string> args) { return Run(std::move(args)).integer; }

  absl::BitGen& random() { return random_; }
  /// A random number below `end`.
  int64_t Below(int64_t end) { return absl::Uniform<int64_t>(random_, 0, end); }
  std::string Name(const std::string& prefix, int64_t end) {
    return prefix + std::to_string(Below(end));
  }

 private:
  /// Does the work on a worker, while this thread waits as a connection would.
  std::shared_ptr<LongWork> Work(LongWork::Function function);
  static void WaitForGate(Gate& gate, Gate::Wish wish);
  /// Returns when somebody has served the request, or when its time limit has passed.
  static void AwaitEnd(BlockedRequest& blocked);

  Server& server_;
  Executor executor_;
  std::shared_ptr<Client> client_;
  absl::BitGen random_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STRESS_ACTOR_H_
