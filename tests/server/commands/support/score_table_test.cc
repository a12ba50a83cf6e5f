#include "server/commands/support/score_table.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "storage/values/memory_slot.h"

namespace cloakroom {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

class ScoreTableTest : public ::testing::Test {
 protected:
  WeightedInput Of(MemorySlot& slot, double weight = 1) {
    return {ScoredInput(slot.view()), weight};
  }
  std::string Text() {
    std::string text;
    for (const ScoredItem& item : table_.Sorted()) {
      text += std::string(item.member) + "=" + std::string(ScoreText(item.score).view()) + " ";
    }
    return text;
  }
  void Put(MemorySlot& slot, std::string_view member, double score) {
    MutableZset(slot, limits_).Put(member, score);
  }

  const EncodingLimits limits_;
  MemorySlot one_;
  MemorySlot two_;
  ScoreTable table_;
};

TEST_F(ScoreTableTest, UnitesWithWeights) {
  Put(one_, "a", 1);
  Put(one_, "b", 2);
  Put(two_, "b", 10);
  table_.Unite(std::vector{Of(one_, 2), Of(two_)}, Aggregate::kSum);
  EXPECT_EQ(Text(), "a=2 b=14 ");
  EXPECT_EQ(table_.longest(), 1u);
}

TEST_F(ScoreTableTest, WhatIsNotANumberIsZero) {
  Put(one_, "a", kInf);
  Put(two_, "a", -kInf);
  table_.Unite(std::vector{Of(one_), Of(two_)}, Aggregate::kSum);
  EXPECT_EQ(Text(), "a=0 ");
}

TEST_F(ScoreTableTest, TheSmallerInputIsAddedFirst) {
  Put(one_, "a", 1e16);
  Put(one_, "b", 1);
  Put(two_, "a", 1);
  MemorySlot three;
  Put(three, "a", 1);
  table_.Unite(std::vector{Of(one_), Of(two_), Of(three)}, Aggregate::kSum);
  EXPECT_EQ(Text(), "b=1 a=10000000000000002 ");
}

TEST_F(ScoreTableTest, IntersectsWithASet) {
  Put(one_, "a", 5);
  Put(one_, "b", 6);
  MutableSet(two_, limits_).Add("b");
  table_.Intersect(std::vector{Of(one_), Of(two_)}, Aggregate::kMin);
  EXPECT_EQ(Text(), "b=1 ");
}

TEST_F(ScoreTableTest, SubtractsAndKeepsTheScoresOfTheFirst) {
  Put(one_, "a", 5);
  Put(one_, "b", 6);
  Put(two_, "b", 1);
  table_.Subtract(std::vector{Of(one_), Of(two_), WeightedInput()});
  EXPECT_EQ(Text(), "a=5 ");
}

TEST_F(ScoreTableTest, ASharedInputIsKnownAgainUntilItChanges) {
  for (int i = 0; i < 500; ++i) Put(one_, std::to_string(i), i);
  const SharedValue shared = ScoredInput(one_.view()).Share();
  EXPECT_TRUE(ScoredInput(one_.view()).Is(shared));
  Put(one_, "7", 8);
  EXPECT_FALSE(ScoredInput(one_.view()).Is(shared));
}

}  // namespace
}  // namespace cloakroom
