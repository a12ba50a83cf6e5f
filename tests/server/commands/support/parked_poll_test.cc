#include "server/commands/support/parked_poll.h"

#include <memory>
#include <set>
#include <string>

#include "server/config/config_store.h"
#include "tests/server/support/session_fixture.h"

namespace cloakroom {
namespace {

class ParkedPollTest : public SessionTest {
 protected:
  ParkedPollTest() { Run("CONFIG SET session-park-polls 450"); }
  ~ParkedPollTest() override {
    for (const std::string& name : names_) executor_.GiveBackSessions(ClientNamed(name));
  }
  std::string Poll(const std::string& name) {
    names_.insert(name);
    return RunAs(name, "HINCRBY sess_a lock 1");
  }
  std::string PollAgain(const std::string& name, const std::shared_ptr<BlockedRequest>& blocked) {
    EXPECT_TRUE(blocked->settled());
    executor_.EndBlock(ClientNamed(name), blocked);
    return Poll(name);
  }
  void Take(const std::string& name) { RunAs(name, "HSET sess_a lock 1 pid " + name + "|1"); }
  void Write(const std::string& name) {
    RunAs(name, "HSET sess_a data by_" + name + " lock 0");
    RunAs(name, "HINCRBY sess_a writes 1");
  }

 private:
  std::set<std::string> names_;
};

TEST_F(ParkedPollTest, AFreeLockIsTakenAtOnce) { EXPECT_EQ(Poll("p"), ":1\r\n"); }

TEST_F(ParkedPollTest, PollsGetTheLockInTheOrderInWhichTheyCame) {
  EXPECT_EQ(Poll("p"), ":1\r\n");
  Take("p");
  EXPECT_EQ(Poll("q"), "(blocked)");
  const auto q = blocked_;
  EXPECT_EQ(Poll("r"), "(blocked)");
  const auto r = blocked_;
  Write("p");
  EXPECT_EQ(PollAgain("q", q), ":1\r\n");
  Take("q");
  // The head is woken to set its timer anew.
  EXPECT_EQ(PollAgain("r", r), "(blocked)");
  Write("q");
  EXPECT_EQ(PollAgain("r", blocked_), ":1\r\n");
}

TEST_F(ParkedPollTest, APollThatHasWaitedLongEnoughRunsAsItIs) {
  Poll("p");
  EXPECT_EQ(Poll("q"), "(blocked)");
  EXPECT_EQ(blocked_->time_limit_ms(), 450);
  Advance(450);
  ASSERT_TRUE(blocked_->TimeOut());
  EXPECT_EQ(PollAgain("q", blocked_), ":2\r\n");
}

TEST_F(ParkedPollTest, WhoHasPolledInVainForLongIsNotParked) {
  Poll("p");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Poll("q"), "(blocked)") << i;
    Advance(450);
    ASSERT_TRUE(blocked_->TimeOut());
    EXPECT_EQ(PollAgain("q", blocked_).substr(0, 1), ":");
    Advance(500);
  }
  EXPECT_EQ(Poll("q").substr(0, 1), ":") << "plain clients count their patience in polls";
}

TEST_F(ParkedPollTest, NativesAndPollsQueueTogether) {
  const std::string open = "SESSION.OPEN sess_a";
  const std::string first = FenceOf(RunAs("n", open));
  EXPECT_EQ(Poll("p"), "(blocked)");
  const auto p = blocked_;
  EXPECT_EQ(RunAs("m", open), "(blocked)");
  const auto m = blocked_;
  EXPECT_EQ(RunAs("n", {"SESSION.COMMIT", "sess_a", first, "DATA", "x"}), ":1\r\n");
  ASSERT_TRUE(p->settled());
  EXPECT_EQ(StateOf("sess_a"), "turn");
  EXPECT_EQ(PollAgain("p", p), ":1\r\n");
  Take("p");
  Write("p");
  ASSERT_TRUE(m->settled());
  executor_.EndBlock(ClientNamed("m"), m);
  EXPECT_NE(RunAs("m", open).find("by_p"), std::string::npos);
  executor_.GiveBackSessions(ClientNamed("m"));
  executor_.GiveBackSessions(ClientNamed("n"));
}

TEST_F(ParkedPollTest, AClientThatHangsUpLeavesTheQueue) {
  Poll("p");
  EXPECT_EQ(Poll("q"), "(blocked)");
  executor_.AbandonBlocked(ClientNamed("q"), blocked_);
  executor_.GiveBackSessions(ClientNamed("q"));
  EXPECT_EQ(Waiting("sess_a"), 0);
}

TEST_F(ParkedPollTest, OnlyPollsAreParked) {
  Poll("p");
  EXPECT_EQ(Run("HINCRBY sess_a wait 1"), ":1\r\n");
  EXPECT_EQ(Run("HINCRBY sess_a lock 2"), ":3\r\n");
  EXPECT_EQ(Run("HINCRBY sess_a lock -1"), ":2\r\n");
  EXPECT_EQ(Run("HINCRBY other lock 1"), ":1\r\n");
  EXPECT_EQ(Run("HINCRBY other lock 1"), ":2\r\n");
  EXPECT_EQ(Run({"EVAL", "return redis.call('HINCRBY', KEYS[1], 'lock', 1)", "1", "sess_a"}),
            ":3\r\n");
  Run("MULTI");
  Run("HINCRBY sess_a lock 1");
  EXPECT_EQ(Run("EXEC"), "*1\r\n:4\r\n");
  Run("CONFIG SET session-park-polls 0");
  EXPECT_EQ(Poll("q"), ":5\r\n");
}

TEST_F(ParkedPollTest, AReplicaAnswersThemAsAnyWrite) {
  Poll("p");
  EXPECT_EQ(Poll("q"), "(blocked)");
  const auto q = blocked_;
  Run("REPLICAOF 127.0.0.1 1");
  EXPECT_EQ(PollAgain("q", q).substr(0, 9), "-READONLY");
  executor_.LeaveSessionQueue(ClientNamed("q"));
  Run("REPLICAOF NO ONE");
}

TEST_F(ParkedPollTest, AWrongTypeIsTheCommandsOwnError) {
  Run("SET sess_a v");
  EXPECT_EQ(Poll("p").substr(0, 10), "-WRONGTYPE");
}

}  // namespace
}  // namespace cloakroom
