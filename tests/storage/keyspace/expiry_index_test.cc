#include "storage/keyspace/expiry_index.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;

TEST(ExpiryIndexTest, KnowsOfNothingAtFirst) {
  ExpiryIndex index;
  index.Resize(40);
  EXPECT_EQ(index.groups(), 3u);
  EXPECT_EQ(index.FirstDueMs(), kNever);
  EXPECT_FALSE(index.AnyMayBeDue(kNow));
  for (size_t group = 0; group < 3; ++group) EXPECT_FALSE(index.MayBeDue(group, kNow));
}

TEST(ExpiryIndexTest, TellsTheGroupOfTheBucket) {
  ExpiryIndex index;
  index.Resize(40);
  index.Note(17, kNow);
  EXPECT_FALSE(index.MayBeDue(0, kNow));
  EXPECT_TRUE(index.MayBeDue(1, kNow));
  EXPECT_FALSE(index.MayBeDue(2, kNow));
  EXPECT_FALSE(index.MayBeDue(1, kNow - 1'000));
}

TEST(ExpiryIndexTest, IsNeverLate) {
  ExpiryIndex index;
  index.Resize(1);
  for (int64_t due = kNow; due < kNow + 300; ++due) {
    ExpiryIndex one = index;
    one.Note(0, due);
    EXPECT_TRUE(one.MayBeDue(0, due));
    EXPECT_LE(one.FirstDueMs(), due);
    EXPECT_GT(one.FirstDueMs(), due - 128);
  }
}

TEST(ExpiryIndexTest, ALaterTimeDoesNotRaiseTheBound) {
  ExpiryIndex index;
  index.Resize(1);
  index.Note(0, kNow);
  index.Note(0, kNow + 60'000);
  EXPECT_TRUE(index.MayBeDue(0, kNow));
}

TEST(ExpiryIndexTest, ALookAtAGroupMakesItsBoundExact) {
  ExpiryIndex index;
  index.Resize(32);
  index.Note(0, kNow);
  index.Note(16, kNow + 5'000);
  index.SetGroup(0, kNow + 60'000);
  index.RecomputeFirst();
  EXPECT_FALSE(index.AnyMayBeDue(kNow));
  EXPECT_TRUE(index.AnyMayBeDue(kNow + 5'000));
  index.SetGroup(0, kNever);
  index.SetGroup(1, kNever);
  index.RecomputeFirst();
  EXPECT_EQ(index.FirstDueMs(), kNever);
}

TEST(ExpiryIndexTest, AGroupInheritsWhatMovesIntoIt) {
  ExpiryIndex index;
  index.Resize(16);
  index.Note(3, kNow);
  index.Resize(32);
  EXPECT_FALSE(index.MayBeDue(1, kNow));
  index.Inherit(3, 19);
  EXPECT_TRUE(index.MayBeDue(1, kNow));
  EXPECT_TRUE(index.MayBeDue(0, kNow));
}

TEST(ExpiryIndexTest, TimesOutsideItsRangeAreLookedAtEarlyRatherThanNever) {
  ExpiryIndex index;
  index.Resize(32);
  index.Note(0, 1);
  EXPECT_TRUE(index.MayBeDue(0, kNow));
  index.Note(16, INT64_MAX);
  EXPECT_FALSE(index.MayBeDue(1, kNow));
  EXPECT_TRUE(index.MayBeDue(1, INT64_MAX));
}

}  // namespace
}  // namespace cloakroom
