#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_LOOP_FIXTURE_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_LOOP_FIXTURE_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/net/connection.h"
#include "server/net/event_loop.h"
#include "storage/base/mutex.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {

/// The client's end of a connection to an event loop: a socket that never blocks. Thread rule: the
/// test's thread.
class Peer {
 public:
  Peer(EventLoop& loop, std::shared_ptr<Client> client);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void Send(std::string_view bytes);
  /// What has come since the last call.
  std::string Received();
  /// Waits until this many bytes have come, or the connection ends; returns all that has come.
  std::string Await(size_t bytes);
  /// Sends an inline request and waits for the reply that the test expects.
  void Exchange(std::string_view request, std::string_view reply);
  bool closed() const { return closed_; }

  Client& client() { return *client_; }
  ClientLink& link() { return *client_->link.lock(); }
  const std::shared_ptr<Client>& shared_client() { return client_; }

 private:
  int fd_ = -1;
  bool closed_ = false;
  std::string received_;
  std::shared_ptr<Client> client_;
};

/// A server with two running event loops, on a disk that the test controls.
class LoopTest : public ServerTest {
 protected:
  explicit LoopTest(FaultyFiles& files, const std::vector<std::string>& options,
                    std::span<const CommandFamily> families = CommandFamilies());
  ~LoopTest() override;

  EventLoop& loop(size_t i) { return *loops_[i]; }
  LoopLoads& loads() { return loads_; }
  Peer& Connect(EventLoop& loop);
  /// Sends a request, and waits until it is parked.
  void Park(Peer& peer, std::string_view request);
  /// Keeps the loop from doing anything until Free().
  void Occupy(EventLoop& loop);
  void Free();

 private:
  FaultyFiles& files_;
  LoopLoads loads_{2};
  RunningLoops running_loops_{2};
  std::vector<std::unique_ptr<EventLoop>> loops_;
  std::vector<std::unique_ptr<Peer>> peers_;
  Mutex mutex_;
  CondVar changed_;
  bool occupied_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
};

/// Waits until the condition holds; the test fails when that takes a minute.
template <typename Condition>
void AwaitThat(Condition condition, std::string_view what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
    std::this_thread::yield();
  }
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_LOOP_FIXTURE_H_
