#include <string>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class SetAlgebraTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("SADD a 1 2 3");
    Run("SADD b 2 3 4");
    Run("SADD c 3 x");
  }

  /// Adds m<from> to m<to - 1> to a set.
  void Fill(const std::string& key, int from, int to) {
    std::vector<std::string> args = {"SADD", key};
    for (int i = from; i < to; ++i) args.push_back("m" + std::to_string(i));
    Run(args);
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(SetAlgebraTest, SInterReturnsWhatAllHave) {
  EXPECT_EQ(Run("SINTER a b"), "*2\r\n$1\r\n2\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("SINTER a b c"), "*1\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("SINTER a"), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("SINTER a absent"), "*0\r\n");
  EXPECT_EQ(Run("SINTER a a"), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
}

TEST_F(SetAlgebraTest, SUnionReturnsEachMemberOnce) {
  EXPECT_EQ(Run("SUNION a b"), "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n");
  EXPECT_EQ(Run("SUNION absent"), "*0\r\n");
  EXPECT_TRUE(Run("SUNION a b c absent a").starts_with("*5\r\n"));
}

TEST_F(SetAlgebraTest, SDiffReturnsWhatOnlyTheFirstHas) {
  EXPECT_EQ(Run("SDIFF a b"), "*1\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("SDIFF a b a"), "*0\r\n");
  EXPECT_EQ(Run("SDIFF absent a"), "*0\r\n");
  EXPECT_EQ(Run("SDIFF c absent"), "*2\r\n$1\r\n3\r\n$1\r\nx\r\n");
}

TEST_F(SetAlgebraTest, RepliesAreSetsInResp3) {
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("SINTER a b c"), "~1\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("SUNION absent"), "~0\r\n");
  EXPECT_EQ(Run("SDIFF a b"), "~1\r\n$1\r\n1\r\n");
}

TEST_F(SetAlgebraTest, EveryKeyMustHoldASetEvenWhereTheResultIsEmpty) {
  Run("HSET h a 1");
  for (const char* line : {"SINTER absent h", "SUNION a h", "SDIFF absent h", "SINTERCARD 2 a h",
                           "SINTERSTORE d absent h", "SUNIONSTORE d h", "SDIFFSTORE d a h"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
}

TEST_F(SetAlgebraTest, SInterCardCountsUpToItsLimit) {
  EXPECT_EQ(Run("SINTERCARD 2 a b"), ":2\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 a b LIMIT 1"), ":1\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 a b LIMIT 0"), ":2\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 a b LIMIT 2 LIMIT 1"), ":1\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 a absent"), ":0\r\n");
}

TEST_F(SetAlgebraTest, SInterCardRefusesBadArguments) {
  EXPECT_EQ(Run("SINTERCARD x a"), "-ERR numkeys should be greater than 0\r\n");
  EXPECT_EQ(Run("SINTERCARD 0 a"), "-ERR numkeys should be greater than 0\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 a"), "-ERR Number of keys can't be greater than number of args\r\n");
  EXPECT_EQ(Run("SINTERCARD 1 a FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SINTERCARD 1 a LIMIT"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SINTERCARD 1 a LIMIT -1"), "-ERR LIMIT can't be negative\r\n");
  EXPECT_EQ(Run("SINTERCARD 1 a LIMIT x"), "-ERR LIMIT can't be negative\r\n");
}

TEST_F(SetAlgebraTest, StoringReplacesAKeyOfAnyType) {
  Run("HSET h a 1");
  events_.Take();
  EXPECT_EQ(Run("SINTERSTORE h a b"), ":2\r\n");
  EXPECT_EQ(Run("SUNIONSTORE u a b"), ":4\r\n");
  EXPECT_EQ(Run("SDIFFSTORE d a b"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "sinterstore h; sunionstore u; sdiffstore d; ");
  EXPECT_EQ(Run("SMEMBERS h"), "*2\r\n$1\r\n2\r\n$1\r\n3\r\n");
}

TEST_F(SetAlgebraTest, StoringNothingRemovesTheKey) {
  events_.Take();
  EXPECT_EQ(Run("SINTERSTORE a b absent"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "del a; ");
  EXPECT_EQ(Run("SDIFFSTORE never absent"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "");
}

TEST_F(SetAlgebraTest, TheTargetMayBeASource) {
  EXPECT_EQ(Run("SUNIONSTORE a a b"), ":4\r\n");
  EXPECT_EQ(Run("SDIFFSTORE b b a"), ":0\r\n");
  EXPECT_EQ(Run("SMEMBERS a"), "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n");
}

TEST_F(SetAlgebraTest, AStoredCopyOfALargeSetIsIndependent) {
  Fill("big", 0, 2000);
  EXPECT_EQ(Run("SUNIONSTORE copy big a"), ":2003\r\n");
  Run("SREM big m7");
  Run("SADD copy new");
  EXPECT_EQ(Run("SISMEMBER copy m7"), ":1\r\n");
  EXPECT_EQ(Run("SISMEMBER big new"), ":0\r\n");
  EXPECT_EQ(Run("SISMEMBER big 1"), ":0\r\n");
  EXPECT_EQ(Run("SCARD big"), ":1999\r\n");
}

TEST_F(SetAlgebraTest, LargeSetsCombineAsSmallOnes) {
  Fill("low", 0, 30'000);
  Fill("high", 15'000, 45'000);
  EXPECT_TRUE(Run("SINTER low high").starts_with("*15000\r\n"));
  EXPECT_TRUE(Run("SUNION low high").starts_with("*45000\r\n"));
  EXPECT_TRUE(Run("SDIFF low high").starts_with("*15000\r\n"));
  EXPECT_EQ(Run("SINTERCARD 2 low high"), ":15000\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 low high LIMIT 7"), ":7\r\n");
  EXPECT_EQ(Run("SDIFFSTORE d low high"), ":15000\r\n");
  Run("MULTI");
  Run("SUNION low high");
  EXPECT_TRUE(Run("EXEC").starts_with("*1\r\n*45000\r\n"));
}

TEST_F(SetAlgebraTest, ADifferenceWithManySetsRemovesEachOfTheirMembers) {
  Fill("big", 0, 1000);
  std::vector<std::string> diff = {"SDIFF", "big"};
  std::vector<std::string> store = {"SDIFFSTORE", "rest", "big"};
  for (int i = 1; i < 1000; ++i) {
    Run({"SADD", "tag" + std::to_string(i), "m" + std::to_string(i)});
    diff.push_back("tag" + std::to_string(i));
    store.push_back(diff.back());
  }
  EXPECT_EQ(Run(diff), "*1\r\n$2\r\nm0\r\n");
  EXPECT_EQ(Run(store), ":1\r\n");
  EXPECT_EQ(Run("SCARD big"), ":1000\r\n");
}

TEST_F(SetAlgebraTest, AUnionOfFiveHundredTagsIsOneSet) {
  std::vector<std::string> args = {"SUNION"};
  for (int i = 0; i < 500; ++i) {
    Fill("tag" + std::to_string(i), i, i + 20);
    args.push_back("tag" + std::to_string(i));
  }
  EXPECT_TRUE(Run(args).starts_with("*519\r\n"));
}

/// Stores of large sets, which are computed outside the event loop.
class LargeStoreTest : public SetAlgebraTest {
 protected:
  LargeStoreTest() {
    after_preparing_ = [this] { ++prepared_; };
  }
  void SetUp() override {
    Fill("x", 0, 20'000);
    Fill("y", 10'000, 30'000);
  }

  int prepared_ = 0;
};

TEST_F(LargeStoreTest, IsPreparedOnceWhenNothingChangesMeanwhile) {
  EXPECT_EQ(Run("SUNIONSTORE d x y"), ":30000\r\n");
  EXPECT_EQ(Run("SINTERSTORE e x y"), ":10000\r\n");
  EXPECT_EQ(Run("SDIFFSTORE f x y"), ":10000\r\n");
  EXPECT_EQ(prepared_, 3);
  EXPECT_EQ(Run("SCARD d"), ":30000\r\n");
  EXPECT_EQ(Run("SISMEMBER d m29999"), ":1\r\n");
  EXPECT_EQ(Run("SISMEMBER f m10000"), ":0\r\n");
}

TEST_F(LargeStoreTest, MayStoreIntoOneOfItsSources) {
  EXPECT_EQ(Run("SUNIONSTORE x x y"), ":30000\r\n");
  EXPECT_EQ(Run("SCARD x"), ":30000\r\n");
}

TEST_F(LargeStoreTest, FollowsFromTheMomentInWhichItIsPutInPlace) {
  after_preparing_ = [this] {
    if (++prepared_ == 1) RunAs("other", "SADD y new");
    if (prepared_ == 2) RunAs("other", "SREM x m0");
  };
  EXPECT_EQ(Run("SUNIONSTORE d x y"), ":30000\r\n");
  EXPECT_EQ(prepared_, 3);
  EXPECT_EQ(Run("SISMEMBER d new"), ":1\r\n");
  EXPECT_EQ(Run("SISMEMBER d m0"), ":0\r\n");
}

TEST_F(LargeStoreTest, ASourceThatIsGoneOrOfAnotherTypeIsNoticed) {
  after_preparing_ = [this] {
    if (++prepared_ == 1) RunAs("other", "DEL y");
  };
  EXPECT_EQ(Run("SUNIONSTORE d x y"), ":20000\r\n");
  after_preparing_ = [this] { RunAs("other", "SET x string"); };
  EXPECT_EQ(Run("SUNIONSTORE d x x y"), kWrongTypeReply);
  EXPECT_EQ(Run("SCARD d"), ":20000\r\n");
}

TEST_F(LargeStoreTest, EndsThoughItsSourcesNeverStandStill) {
  after_preparing_ = [this] { RunAs("other", {"SADD", "y", "new" + std::to_string(++prepared_)}); };
  EXPECT_EQ(Run("SUNIONSTORE d x y"), ":30003\r\n");
  EXPECT_EQ(prepared_, 3);
}

TEST_F(LargeStoreTest, InATransactionItRunsAtOnce) {
  Run("MULTI");
  Run("SUNIONSTORE d x y");
  EXPECT_EQ(Run("EXEC"), "*1\r\n:30000\r\n");
  EXPECT_EQ(prepared_, 0);
}

}  // namespace
}  // namespace cloakroom
