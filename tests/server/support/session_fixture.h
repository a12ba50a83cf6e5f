#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_SESSION_FIXTURE_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_SESSION_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "server/session/blocked_request.h"
#include "server/sessions/native_sessions.h"
#include "storage/keyspace/keyspace.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {

/// Native clients of the session "s", in-process. A client's owner is its name and "|1".
class SessionTest : public ServerTest {
 protected:
  using ServerTest::ServerTest;
  ~SessionTest() override {
    for (const std::string& name : names_) executor_.GiveBackSessions(ClientNamed(name));
  }

  std::string OpenAs(const std::string& name, std::string_view options = "") {
    names_.insert(name);
    return RunAs(name, "SESSION.OPEN s OWNER " + name + "|1 " + std::string(options));
  }
  /// Opens it, and returns the fence.
  std::string Open(const std::string& name, std::string_view options = "") {
    return FenceOf(OpenAs(name, options));
  }
  /// What the event loop does when a request that waits has been settled.
  std::string Again(const std::string& name, std::shared_ptr<BlockedRequest> blocked,
                    std::string_view options = "") {
    EXPECT_TRUE(blocked->settled());
    executor_.EndBlock(ClientNamed(name), blocked);
    return OpenAs(name, options);
  }
  static std::string FenceOf(const std::string& reply) {
    EXPECT_EQ(reply.substr(0, 5), "*6\r\n:") << reply;
    const std::string fence = reply.substr(5, reply.find("\r\n", 5) - 5);
    EXPECT_NE(fence, "0");
    return fence;
  }
  /// What OPEN and READ reply.
  static std::string State(std::string_view fence, std::string_view data, int64_t writes,
                           std::string_view version, int64_t ttl_ms) {
    return "*6\r\n:" + std::string(fence) + "\r\n" + std::string(data) + ":" +
           std::to_string(writes) + "\r\n" + Bulk(version) + ":" + std::to_string(ttl_ms) +
           "\r\n$-1\r\n";
  }
  /// How many wait for the session.
  int64_t Waiting(std::string_view key = "s") {
    Stripe& stripe = server_.keyspace().db(0).StripeOf(KeyHash::Of(key));
    MutexLock lock(stripe.mutex);
    const SessionLocks::Use use = stripe.sessions.Find(key);
    return use ? static_cast<int64_t>(use->queue().size()) : 0;
  }
  /// "free" if nothing is known of its lock.
  std::string StateOf(std::string_view key = "s") {
    Stripe& stripe = server_.keyspace().db(0).StripeOf(KeyHash::Of(key));
    MutexLock lock(stripe.mutex);
    const SessionLocks::Use use = stripe.sessions.Find(key);
    return std::string(use ? SessionStateName(use->state()) : "free");
  }

 private:
  std::set<std::string> names_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_SESSION_FIXTURE_H_
