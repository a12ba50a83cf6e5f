#include "replication/link/replication_history.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace cloakroom {
namespace {

constexpr int64_t kSize = 100;  // repl-backlog-size

class ReplicationHistoryTest : public testing::Test {
 protected:
  static ReplicationId Id(char digit) { return *ReplicationId::Parse(std::string(40, digit)); }
  int64_t First(int64_t tail, int64_t kept = 0) const {
    return history_.FirstByte({.tail = tail, .first_kept = kept}, kSize);
  }

  std::mt19937_64 random_{7};
  ReplicationHistory history_{random_};
};

TEST_F(ReplicationHistoryTest, BeginsWithAnIdAndWithoutABacklog) {
  EXPECT_FALSE(history_.id1().none());
  EXPECT_TRUE(history_.id2().none());
  EXPECT_EQ(history_.id2_limit(), -1);
  EXPECT_FALSE(history_.backlog());
  EXPECT_EQ(history_.OffsetAt(0), 0);
}

TEST_F(ReplicationHistoryTest, TheFirstByteHasOffsetOneAndPositionZero) {
  EXPECT_EQ(history_.PositionOf(1), 0);
  ASSERT_TRUE(history_.TakeOver({Id('a'), 1000}, 20));
  EXPECT_EQ(history_.bias(), 980);
  EXPECT_EQ(history_.OffsetAt(20), 1000);
  EXPECT_EQ(history_.PositionOf(1001), 20) << "the next byte that comes";
}

TEST_F(ReplicationHistoryTest, TheFirstFullSyncMakesABacklogUnderANewId) {
  const ReplicationId before = history_.id1();
  const std::optional<LinkLine> line = history_.BeginBacklog(30, random_);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "Replication backlog created, my new replication IDs are '" +
                            std::string(history_.id1().text()) + "' and '" + std::string(40, '0') +
                            "'");
  EXPECT_EQ(line->level, LinkLevel::kNotice);
  EXPECT_NE(history_.id1(), before);
  EXPECT_TRUE(history_.backlog());
  EXPECT_EQ(First(30), 31) << "nothing from before";
}

TEST_F(ReplicationHistoryTest, LaterFullSyncsKeepTheBacklogAndTheId) {
  history_.BeginBacklog(30, random_);
  const ReplicationId id = history_.id1();
  EXPECT_EQ(history_.BeginBacklog(60, random_), std::nullopt);
  EXPECT_EQ(history_.id1(), id);
  EXPECT_EQ(First(60), 31);
}

TEST_F(ReplicationHistoryTest, TheBacklogReachesBackAsFarAsItsSize) {
  history_.BeginBacklog(0, random_);
  EXPECT_EQ(First(0), 1);
  EXPECT_EQ(First(100), 1);
  EXPECT_EQ(First(101), 2);
}

TEST_F(ReplicationHistoryTest, TheBacklogReachesBackToASlowReplicaButNotToWhatIsGone) {
  history_.BeginBacklog(0, random_);
  EXPECT_EQ(history_.FirstByte({.tail = 500, .first_kept = 0, .oldest_cursor = 40}, kSize), 41);
  EXPECT_EQ(history_.FirstByte({.tail = 500, .first_kept = 90, .oldest_cursor = 40}, kSize), 91);
  EXPECT_EQ(history_.FirstByte({.tail = 500, .first_kept = 450}, kSize), 451);
}

TEST_F(ReplicationHistoryTest, TheFirstByteIsNeverBehindTheNextOne) {
  history_.BeginBacklog(0, random_);
  EXPECT_EQ(history_.FirstByte({.tail = 10}, 0), 11);
  EXPECT_EQ(history_.FirstByte({.tail = 10, .first_kept = 12}, kSize), 11);
}

TEST_F(ReplicationHistoryTest, APromotionTurnsThePastIntoTheSecondId) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 50}, 0));
  const LinkLine line = history_.Promote(7, random_);
  EXPECT_EQ(history_.id2(), Id('a'));
  EXPECT_EQ(history_.id2_limit(), 58);
  EXPECT_NE(history_.id1(), Id('a'));
  EXPECT_EQ(line.level, LinkLevel::kWarning);
  EXPECT_EQ(line.text, "Setting secondary replication ID to " + std::string(40, 'a') +
                           ", valid up to offset: 58. New replication ID is " +
                           std::string(history_.id1().text()));
  EXPECT_TRUE(history_.backlog());
  EXPECT_EQ(First(7), 51) << "the backlog stays";
}

TEST_F(ReplicationHistoryTest, KnowsTheSecondIdOnlyUpToItsLimit) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 50}, 0));
  history_.Promote(0, random_);
  const std::string second(40, 'A');
  EXPECT_TRUE(history_.Knows(second, 51));
  EXPECT_FALSE(history_.Knows(second, 52));
  EXPECT_TRUE(history_.Knows(history_.id1().text(), 1 << 20));
  EXPECT_FALSE(history_.Knows(std::string(40, 'b'), 1));
  EXPECT_FALSE(history_.Knows("", 1));
}

TEST_F(ReplicationHistoryTest, AHistoryWithoutASecondIdDoesNotKnowTheZeros) {
  EXPECT_FALSE(history_.Knows(std::string(40, '0'), 1));
  EXPECT_FALSE(history_.Knows(std::string(40, '0'), 0));
}

TEST_F(ReplicationHistoryTest, TheBacklogGoesWithTheIds) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 50}, 0));
  history_.Promote(0, random_);
  const ReplicationId before = history_.id1();
  const LinkLine line = history_.DropBacklog(3600, random_);
  EXPECT_EQ(line.text, "Replication backlog freed after 3600 seconds without connected replicas.");
  EXPECT_FALSE(history_.backlog());
  EXPECT_NE(history_.id1(), before);
  EXPECT_TRUE(history_.id2().none());
  EXPECT_EQ(history_.id2_limit(), -1);
  EXPECT_EQ(history_.OffsetAt(0), 50) << "offsets go on";
}

TEST_F(ReplicationHistoryTest, AReplicaHasABacklogFromItsFirstMomentOn) {
  const ReplicationId id = history_.id1();
  EXPECT_EQ(history_.BecomeReplica(30), (HistoryPoint{id, 30}));
  EXPECT_TRUE(history_.backlog());
  EXPECT_EQ(First(30), 31);
}

TEST_F(ReplicationHistoryTest, ABecomingReplicaKeepsItsBacklog) {
  history_.BeginBacklog(0, random_);
  history_.BecomeReplica(30);
  EXPECT_EQ(First(30), 1);
}

TEST_F(ReplicationHistoryTest, ContinueUnderTheSameIdChangesNothing) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 50}, 0));
  EXPECT_FALSE(history_.Continue(Id('a'), 5));
  EXPECT_FALSE(history_.Continue(Id('A'), 5)) << "the same id in other letters";
  EXPECT_EQ(history_.id1(), Id('a'));
  EXPECT_TRUE(history_.id2().none());
}

TEST_F(ReplicationHistoryTest, ContinueUnderANewIdKeepsTheOldOneAsTheSecond) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 50}, 0));
  EXPECT_TRUE(history_.Continue(Id('b'), 5));
  EXPECT_EQ(history_.id1(), Id('b'));
  EXPECT_EQ(history_.id2(), Id('a'));
  EXPECT_EQ(history_.id2_limit(), 56);
  EXPECT_EQ(First(5), 51);
}

TEST_F(ReplicationHistoryTest, AFullSyncTakesIdAndOffsetAndForgetsTheRest) {
  history_.BeginBacklog(0, random_);
  history_.Promote(20, random_);
  ASSERT_TRUE(history_.TakeOver({Id('c'), 5000}, 20));
  EXPECT_EQ(history_.id1(), Id('c'));
  EXPECT_TRUE(history_.id2().none());
  EXPECT_EQ(history_.OffsetAt(20), 5000);
  EXPECT_EQ(First(20), 5001);
}

TEST_F(ReplicationHistoryTest, OffsetsThatNoStreamReachesAreRefused) {
  const ReplicationId id = history_.id1();
  EXPECT_FALSE(history_.TakeOver({Id('a'), -1}, 0));
  EXPECT_FALSE(history_.TakeOver({Id('a'), std::numeric_limits<int64_t>::max()}, 0));
  EXPECT_FALSE(history_.RestartAsPrimary({Id('a'), -2}, 0, 0, random_));
  EXPECT_FALSE(history_.RestartAsReplica({Id('a'), -2}, 0, 0));
  EXPECT_EQ(history_.id1(), id);
  EXPECT_FALSE(history_.backlog());
  EXPECT_TRUE(history_.TakeOver({Id('a'), ReplicationHistory::kMaxOffset}, 0));
}

TEST_F(ReplicationHistoryTest, ARestartedPrimaryGoesOnUnderANewId) {
  ASSERT_TRUE(history_.RestartAsPrimary({Id('a'), 500}, 0, 60, random_));
  EXPECT_NE(history_.id1(), Id('a'));
  EXPECT_EQ(history_.id2(), Id('a'));
  EXPECT_EQ(history_.id2_limit(), 501);
  EXPECT_EQ(history_.OffsetAt(60), 500);
  EXPECT_EQ(First(60), 441) << "the log's last bytes are backlog";
}

TEST_F(ReplicationHistoryTest, ARestartedReplicaGoesOnUnderItsId) {
  ASSERT_TRUE(history_.RestartAsReplica({Id('a'), 500}, 0, 0));
  EXPECT_EQ(history_.BecomeReplica(0), (HistoryPoint{Id('a'), 500}));
  EXPECT_EQ(First(0), 501);
}

TEST_F(ReplicationHistoryTest, ARestartedPrimaryThatHasWrittenNothingAsksUnderItsOldId) {
  ASSERT_TRUE(history_.RestartAsPrimary({Id('a'), 500}, 0, 0, random_));
  EXPECT_EQ(history_.BecomeReplica(0), (HistoryPoint{Id('a'), 500}));
}

TEST_F(ReplicationHistoryTest, ARestartedPrimaryThatHasWrittenAsksUnderItsNewId) {
  ASSERT_TRUE(history_.RestartAsPrimary({Id('a'), 500}, 0, 0, random_));
  EXPECT_EQ(history_.BecomeReplica(1), (HistoryPoint{history_.id1(), 501}));
}

TEST_F(ReplicationHistoryTest, APromotedServerThatHasWrittenNothingAsksUnderItsNewId) {
  ASSERT_TRUE(history_.TakeOver({Id('a'), 500}, 0));
  history_.Promote(0, random_);
  EXPECT_EQ(history_.BecomeReplica(0).id, history_.id1());
}

TEST_F(ReplicationHistoryTest, OtherDataHasAnotherIdAndNoPast) {
  history_.BeginBacklog(0, random_);
  history_.Promote(10, random_);
  const ReplicationId before = history_.id1();
  history_.ChangeId(random_);
  EXPECT_NE(history_.id1(), before);
  EXPECT_TRUE(history_.id2().none());
  EXPECT_TRUE(history_.backlog());
  EXPECT_EQ(history_.OffsetAt(10), 10);
}

TEST(BacklogIsIdleTest, LongerThanItsTimeToLive) {
  EXPECT_FALSE(BacklogIsIdle(10'000, 0, 10));
  EXPECT_FALSE(BacklogIsIdle(10'999, 0, 10));
  EXPECT_TRUE(BacklogIsIdle(11'000, 0, 10));
}

TEST(BacklogIsIdleTest, ATimeToLiveOfZeroIsForEver) {
  EXPECT_FALSE(BacklogIsIdle(int64_t{1} << 40, 0, 0));
}

}  // namespace
}  // namespace cloakroom
