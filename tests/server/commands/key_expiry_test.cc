#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class KeyExpiryTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("SET k v");
    events_.Take();
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(KeyExpiryTest, EveryFormLeadsToTheSameTime) {
  EXPECT_EQ(Run("EXPIRE k 100"), ":1\r\n");
  EXPECT_EQ(Run("PEXPIRETIME k"), ":" + std::to_string(now_ms() + 100'000) + "\r\n");
  EXPECT_EQ(Run("PEXPIRE k 1500"), ":1\r\n");
  EXPECT_EQ(Run("PTTL k"), ":1500\r\n");
  EXPECT_EQ(Run({"EXPIREAT", "k", std::to_string(now_ms() / 1000 + 7)}), ":1\r\n");
  EXPECT_EQ(Run("PTTL k"), ":7000\r\n");
  EXPECT_EQ(Run({"PEXPIREAT", "k", std::to_string(now_ms() + 9)}), ":1\r\n");
  EXPECT_EQ(Run("PTTL k"), ":9\r\n");
  EXPECT_EQ(events_.Take(), "expire k; expire k; expire k; expire k; ");
}

TEST_F(KeyExpiryTest, AKeyIsGoneAtItsTimeAndNotBefore) {
  Run("PEXPIRE k 100");
  Advance(99);
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  Advance(1);
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
  EXPECT_EQ(events_.Take(), "expire k; expired k; ");
}

TEST_F(KeyExpiryTest, ATimeInThePastDeletesTheKey) {
  EXPECT_EQ(Run("EXPIRE k -1"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "del k; ");
  EXPECT_EQ(Run("EXISTS k"), ":0\r\n");
  Run("SET k v");
  EXPECT_EQ(Run("PEXPIREAT k 1"), ":1\r\n");
  EXPECT_EQ(Run("EXISTS k"), ":0\r\n");
  Run("SET k v");
  EXPECT_EQ(Run("PEXPIRE k -9223372036854775808"), ":1\r\n");
  EXPECT_EQ(Run("EXISTS k"), ":0\r\n");
}

TEST_F(KeyExpiryTest, AnAbsentKeyIsNoError) {
  EXPECT_EQ(Run("EXPIRE nothing 10"), ":0\r\n");
  EXPECT_EQ(Run("PERSIST nothing"), ":0\r\n");
  EXPECT_EQ(Run("TTL nothing"), ":-2\r\n");
  EXPECT_EQ(Run("PTTL nothing"), ":-2\r\n");
  EXPECT_EQ(Run("EXPIRETIME nothing"), ":-2\r\n");
  EXPECT_EQ(Run("PEXPIRETIME nothing"), ":-2\r\n");
}

TEST_F(KeyExpiryTest, NxAndXxLookAtTheExpirySoFar) {
  EXPECT_EQ(Run("EXPIRE k 10 XX"), ":0\r\n");
  EXPECT_EQ(Run("EXPIRE k 10 nx"), ":1\r\n");
  EXPECT_EQ(Run("EXPIRE k 20 NX"), ":0\r\n");
  EXPECT_EQ(Run("EXPIRE k 30 XX"), ":1\r\n");
  EXPECT_EQ(Run("TTL k"), ":30\r\n");
}

TEST_F(KeyExpiryTest, GtAndLtTakeNoExpiryForInfinity) {
  EXPECT_EQ(Run("EXPIRE k 10 GT"), ":0\r\n");
  EXPECT_EQ(Run("EXPIRE k 10 LT"), ":1\r\n");
  EXPECT_EQ(Run("EXPIRE k 10 GT"), ":0\r\n");
  EXPECT_EQ(Run("EXPIRE k 10 LT"), ":0\r\n");
  EXPECT_EQ(Run("EXPIRE k 11 XX GT"), ":1\r\n");
  EXPECT_EQ(Run("EXPIRE k 9 LT XX"), ":1\r\n");
  EXPECT_EQ(Run("EXPIRE k -1 GT"), ":0\r\n");
  EXPECT_EQ(Run("TTL k"), ":9\r\n");
}

TEST_F(KeyExpiryTest, OptionsAreCheckedBeforeTheNumberAndTheKey) {
  EXPECT_EQ(Run("EXPIRE nothing x FOO"), "-ERR Unsupported option FOO\r\n");
  EXPECT_EQ(Run("EXPIRE nothing x NX GT"),
            "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n");
  EXPECT_EQ(Run("EXPIRE nothing x GT LT"),
            "-ERR GT and LT options at the same time are not compatible\r\n");
  EXPECT_EQ(Run("EXPIRE nothing x"), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(KeyExpiryTest, ATimeBeyond64BitsIsInvalid) {
  EXPECT_EQ(Run("EXPIRE k 9223372036854775807"),
            "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(Run("EXPIRE k -9223372036854775808"),
            "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(Run("PEXPIRE k 9223372036854775807"),
            "-ERR invalid expire time in 'pexpire' command\r\n");
  EXPECT_EQ(Run("EXPIREAT k 9223372036854775807"),
            "-ERR invalid expire time in 'expireat' command\r\n");
  EXPECT_EQ(Run("TTL k"), ":-1\r\n");
}

TEST_F(KeyExpiryTest, TtlRoundsToTheNearestSecond) {
  Run("PEXPIRE k 1499");
  EXPECT_EQ(Run("TTL k"), ":1\r\n");
  Run("PEXPIRE k 1500");
  EXPECT_EQ(Run("TTL k"), ":2\r\n");
  Run("PEXPIRE k 499");
  EXPECT_EQ(Run("TTL k"), ":0\r\n");
  Run({"PEXPIREAT", "k", std::to_string(TestClock::kStartMs + 2'500)});
  EXPECT_EQ(Run("EXPIRETIME k"), ":" + std::to_string(TestClock::kStartMs / 1000 + 3) + "\r\n");
}

TEST_F(KeyExpiryTest, PersistRemovesAnExpiryOnce) {
  Run("EXPIRE k 1");
  events_.Take();
  EXPECT_EQ(Run("PERSIST k"), ":1\r\n");
  EXPECT_EQ(Run("PERSIST k"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "persist k; ");
  Advance(10'000);
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
}

TEST_F(KeyExpiryTest, AConditionThatFailsDisturbsNoTransaction) {
  RunAs("watcher", "WATCH k");
  Run("EXPIRE k 10 XX");
  RunAs("watcher", "MULTI");
  EXPECT_EQ(RunAs("watcher", "EXEC"), "*0\r\n");
}

}  // namespace
}  // namespace cloakroom
