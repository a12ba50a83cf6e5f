#include "server/sessions/session_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "storage/access/lookup.h"
#include "storage/keyspace/hold.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr int64_t kTtlMs = 60'000;

class SessionFieldsTest : public ServerTest {
 protected:
  /// Calls `act` with the session "s", under its hold.
  template <typename Act>
  void WithKey(Act act) {
    Hold hold(server_.keyspace().background_slot());
    Database& db = server_.keyspace().db(0);
    hold.WaitForKey(db, KeyHash::Of("s"));
    act(GuardedKey{hold, db, "s", KeyHash::Of("s"), now_ms()});
  }
  void Edit(SessionHashEdit edit, std::string_view pid = "", std::string_view req = "") {
    WithKey([&](const GuardedKey& key) {
      EditSession(key, {.edit = edit, .pid = std::string(pid), .req = std::string(req)}, kTtlMs);
    });
  }
  template <typename Check>
  void Read(Check check) {
    WithKey([&](const GuardedKey& key) {
      check(ReadSession(PeekKey(key.hold, key.db, key.key, key.hash, key.now_ms), key.now_ms));
    });
  }
};

TEST_F(SessionFieldsTest, AKeyThatIsAbsentOrOfAnotherTypeIsNoSession) {
  const auto expect_none = [](const SessionContent& content) {
    EXPECT_FALSE(content.hash.exists);
    EXPECT_FALSE(content.data.has_value());
    EXPECT_EQ(content.ttl_ms, -2);
  };
  Read(expect_none);
  Run("SET s v");
  Read(expect_none);
  Edit(SessionHashEdit::kPublish, "a|1|0");
  EXPECT_EQ(Run("GET s"), Bulk("v"));
}

TEST_F(SessionFieldsTest, CountsThatAreNoIntegersAreZero) {
  Run("HSET s data d lock x writes 1.5 pid a|1|77 req GET_/");
  Read([](const SessionContent& content) {
    EXPECT_TRUE(content.hash.exists);
    EXPECT_EQ(content.hash.lock, 0);
    EXPECT_EQ(content.hash.writes, 0);
    EXPECT_EQ(content.hash.commit_fence(), 77);
    EXPECT_EQ(content.hash.req, "GET_/");
    EXPECT_EQ(content.data->bytes, "d");
    EXPECT_EQ(content.ttl_ms, -1);
  });
}

TEST_F(SessionFieldsTest, ACommitWritesWhatDiffersAndOpensThePlainClientsLock) {
  Run("HSET s data d lock 1000000 writes 1 other x");
  WithKey([&](const GuardedKey& key) {
    WriteSession(
        key,
        {.data = std::nullopt, .writes = 2, .pid = "a|1|9", .expire_at_ms = key.now_ms + 5000});
  });
  EXPECT_EQ(Run("HMGET s data lock writes pid other"), Bulks({"d", "0", "2", "a|1|9", "x"}));
  EXPECT_EQ(Run("PTTL s"), ":5000\r\n");
}

TEST_F(SessionFieldsTest, PublishingMakesAHashThatExpiresAndClearingRemovesIt) {
  Edit(SessionHashEdit::kPublish, "a|1|0", "GET /");
  EXPECT_EQ(Run("HMGET s lock pid"), Bulks({"1000000", "a|1|0"}));
  EXPECT_EQ(Run("PTTL s"), ":60000\r\n");
  Run("HINCRBY s wait 1");
  Edit(SessionHashEdit::kClear);
  EXPECT_EQ(Run("EXISTS s"), ":0\r\n") << "a count of plain clients that wait is no session";
}

TEST_F(SessionFieldsTest, ClearingKeepsWhateverElseIsThere) {
  Run("HSET s data d lock 1000001 pid a|1|0 writes 1");
  Edit(SessionHashEdit::kClear);
  EXPECT_EQ(Run("HMGET s data lock pid writes"), Bulks({"d", "0", "a|1|0", "1"}));
  Edit(SessionHashEdit::kClear, "broken|0|0");
  EXPECT_EQ(Run("HGET s pid"), Bulk("broken|0|0"));
}

}  // namespace
}  // namespace cloakroom
