#include "storage/values/scored_item.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const std::vector<double> kAscending = {-kInf,
                                        -std::numeric_limits<double>::max(),
                                        -1e10,
                                        -1.5,
                                        -std::numeric_limits<double>::denorm_min(),
                                        0,
                                        std::numeric_limits<double>::denorm_min(),
                                        0.1,
                                        1,
                                        255,
                                        65536,
                                        1e300,
                                        kInf};

TEST(OrderKeyTest, OrdersAsTheScores) {
  for (size_t i = 1; i < kAscending.size(); ++i) {
    EXPECT_LT(OrderKeyOf(kAscending[i - 1]), OrderKeyOf(kAscending[i])) << kAscending[i];
  }
  EXPECT_EQ(OrderKeyOf(-0.0), OrderKeyOf(0.0));
}

TEST(PackedScoreTest, KeepsEveryBit) {
  for (const double score : kAscending) {
    EXPECT_EQ(PackedScore::Unpack(PackedScore(score).bytes()), score);
  }
  EXPECT_TRUE(std::signbit(PackedScore::Unpack(PackedScore(-0.0).bytes())));
}

TEST(PackedScoreTest, RoundNumbersAreShort) {
  EXPECT_EQ(PackedScore(0).bytes().size(), 0u);
  EXPECT_EQ(PackedScore(1).bytes().size(), 2u);
  EXPECT_LE(PackedScore(999'999).bytes().size(), 5u);
  EXPECT_EQ(PackedScore(0.1).bytes().size(), 8u);
}

TEST(ScoreTextTest, IsWhatRedisPrints) {
  EXPECT_EQ(ScoreText(3).view(), "3");
  EXPECT_EQ(ScoreText(-1.5).view(), "-1.5");
  EXPECT_EQ(ScoreText(0.1).view(), "0.10000000000000001");
  EXPECT_EQ(ScoreText(1e17).view(), "1e+17");
  EXPECT_EQ(ScoreText(-0.0).view(), "-0");
  EXPECT_EQ(ScoreText(kInf).view(), "inf");
  EXPECT_EQ(ScoreText(-kInf).view(), "-inf");
}

TEST(ScoreTextTest, AListpackKeepsTheDigitsOfIntegersUpToTwoTo62) {
  EXPECT_EQ(ScoreText::OfListpack(1e17).view(), "100000000000000000");
  EXPECT_EQ(ScoreText::OfListpack(-123456789012345680.0).view(), "-123456789012345680");
  EXPECT_EQ(ScoreText::OfListpack(4611686018427387904.0).view(), "4611686018427387904");
  EXPECT_EQ(ScoreText::OfListpack(4611686018427388928.0).view(), "4.6116860184273889e+18");
  EXPECT_EQ(ScoreText::OfListpack(-1e19).view(), "-1e+19");
  EXPECT_EQ(ScoreText::OfListpack(2.5).view(), "2.5");
}

TEST(ScoreTextTest, ReadsBackToTheSameScore) {
  for (const double score : kAscending) {
    EXPECT_EQ(std::strtod(std::string(ScoreText(score).view()).c_str(), nullptr), score);
  }
}

TEST(ScoredRunTest, HoldsMembersOfAnyLength) {
  FakeRegion region;
  const std::vector<size_t> lengths = {0, 1, 14, 15, 16, 127, 128, 300, 20'000};
  for (const size_t length : lengths) {
    const std::string member(length, 'm');
    InsertScored(region, region.size(), {.score = double(length) / 4, .member = member});
  }
  size_t index = 0;
  ForEachScored(region.bytes(), [&](const PlacedItem& item) {
    EXPECT_EQ(item.member, std::string(lengths[index], 'm'));
    EXPECT_EQ(item.score, double(lengths[index]) / 4);
    EXPECT_EQ(item.offset, ScoredItemOffset(region.bytes(), index));
    ++index;
    return true;
  });
  EXPECT_EQ(index, lengths.size());
  EXPECT_EQ(ScoredItemOffset(region.bytes(), index), region.size());
}

TEST(ScoredRunTest, WalksBackwardsThroughAPart) {
  FakeRegion region;
  for (const char* member : {"a", "b", "c", "d"}) {
    InsertScored(region, region.size(), {.score = 1, .member = member});
  }
  std::string seen;
  const auto note = [&](const ScoredItem& item) { seen += item.member; };
  ForEachScoredBackwards(region.bytes(), 1, 3, note);
  EXPECT_EQ(seen, "cb");
  ForEachScoredBackwards(region.bytes(), 2, 2, note);
  EXPECT_EQ(seen, "cb");
}

TEST(ScoredItemTest, IsOrderedByScoreThenByMember) {
  const ScoredItem a{.score = 1, .member = "a"};
  EXPECT_TRUE(ComesBefore(a, {.score = 2, .member = ""}));
  EXPECT_TRUE(ComesBefore(a, {.score = 1, .member = "b"}));
  EXPECT_TRUE(ComesBefore(a, {.score = 1, .member = "\xff"}));
  EXPECT_FALSE(ComesBefore(a, a));
  EXPECT_FALSE(ComesBefore({.score = 0, .member = "b"}, {.score = -0.0, .member = "a"}));
}

}  // namespace
}  // namespace cloakroom
