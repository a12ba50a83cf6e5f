#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_SERVER_FIXTURE_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_SERVER_FIXTURE_H_

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "replication/files/files.h"
#include "server/commands/families.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/execution/executor.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_clock.h"

namespace cloakroom {

/// The other end of a client in a test: it keeps what is pushed to it.
class FakeLink final : public ClientLink {
 public:
  void Push(Pushed push) override {
    if (push.wanted()) pushed.append(push.bytes.bytes);
    ++pushes;
  }
  void Kill() override { killed = true; }

  std::string pushed;
  int pushes = 0;
  bool killed = false;
};

/// A server without sockets, under a clock that the test moves. Commands run in-process, on the
/// calling thread, as event loop 0.
///
///   EXPECT_EQ(Run({"SET", "k", "v"}), "+OK\r\n");
class ServerTest : public testing::Test {
 protected:
  /// `files` outlive the test; `options` as on a command line: {"--save", ""}.
  explicit ServerTest(Files& files = SystemFiles(), const std::vector<std::string>& options = {},
                      std::span<const CommandFamily> families = CommandFamilies())
      : server_(clock_, Configured(config_, options), 2, files, families),
        executor_(server_, server_.thread(0)) {
    MemoryMeter::RegisterThread();
  }

  /// A connected client; `name` is the test's own name for it. "" is the default client.
  Client& ClientNamed(const std::string& name);
  FakeLink& LinkOf(const std::string& name);

  /// Runs one request and returns the reply's bytes.
  std::string Run(std::vector<std::string> args) { return RunAs("", std::move(args)); }
  std::string RunAs(const std::string& client, std::vector<std::string> args);
  /// The request split at spaces: Run("SET k v") for plain words.
  std::string Run(std::string_view line);
  std::string RunAs(const std::string& client, std::string_view line);

  /// Does a worker's work, on this thread.
  std::shared_ptr<LongWork> RunWork(LongWork::Function function, ReplyWriter& reply);

  /// Called when a command has prepared its result outside the event loop, before it stores it.
  std::function<void()> after_preparing_;

  /// The request that was parked last.
  std::shared_ptr<BlockedRequest> blocked_;

  void Advance(int64_t ms) { clock_.now_ms += ms; }
  int64_t now_ms() const { return clock_.now_ms; }

  TestClock clock_;
  ConfigStore config_;
  Server server_;
  Executor executor_;

 private:
  static ConfigStore& Configured(ConfigStore& config, const std::vector<std::string>& options) {
    EXPECT_OK(config.Load(ParseCommandLine(options)));
    return config;
  }

  struct Connected {
    std::shared_ptr<Client> client;
    std::shared_ptr<FakeLink> link;
  };
  Connected& Connect(const std::string& name);
  std::map<std::string, Connected> clients_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_SERVER_FIXTURE_H_
