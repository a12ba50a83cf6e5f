#include "storage/values/hyperloglog.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "absl/random/random.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;
using Change = HyperLogLog::Change;

constexpr size_t kMaxSparse = 3000;

std::string Runs(const HyperLogLog& hll) {
  return HllView::Of(hll.bytes())->Describe().value_or("corrupt");
}

HllRegisters RegistersOf(const HyperLogLog& hll) {
  HllRegisters registers;
  EXPECT_TRUE(HllView::Of(hll.bytes())->RaiseIn(registers));
  return registers;
}

/// A sparse value with these runs.
std::string WithRuns(std::string_view runs) {
  return "HYLL\x01"s + std::string(11, '\0') + std::string(runs);
}

TEST(HyperLogLogTest, AnEmptyOneIsOneRunOfZeros) {
  const HyperLogLog hll(kMaxSparse);
  EXPECT_EQ(hll.bytes(), WithRuns("\x7f\xff"));
  EXPECT_EQ(Runs(hll), "Z:16384");
  EXPECT_EQ(HllView::Of(hll.bytes())->kept_count(), 0u);
  EXPECT_EQ(RegistersOf(hll).Estimate(), 0u);
}

TEST(HyperLogLogTest, ARegisterSplitsItsRun) {
  HyperLogLog hll(kMaxSparse);
  EXPECT_EQ(hll.Raise({.index = 100, .rank = 3}), Change::kRaised);
  EXPECT_EQ(Runs(hll), "Z:100 v:3,1 Z:16283");
  EXPECT_EQ(hll.Raise({.index = 0, .rank = 1}), Change::kRaised);
  EXPECT_EQ(hll.Raise({.index = 16'383, .rank = 2}), Change::kRaised);
  EXPECT_EQ(Runs(hll), "v:1,1 Z:99 v:3,1 Z:16282 v:2,1");
  EXPECT_EQ(hll.Raise({.index = 100, .rank = 3}), Change::kNone);
  EXPECT_EQ(hll.Raise({.index = 100, .rank = 4}), Change::kRaised);
  EXPECT_EQ(Runs(hll), "v:1,1 Z:99 v:4,1 Z:16282 v:2,1");
}

TEST(HyperLogLogTest, EqualNeighboursJoinUpToFour) {
  HyperLogLog hll(kMaxSparse);
  for (uint32_t i = 0; i < 6; ++i) EXPECT_EQ(hll.Raise({.index = i, .rank = 7}), Change::kRaised);
  EXPECT_EQ(Runs(hll), "v:7,4 v:7,2 Z:16378");
  EXPECT_EQ(hll.Raise({.index = 2, .rank = 9}), Change::kRaised);
  EXPECT_EQ(Runs(hll), "v:7,2 v:9,1 v:7,3 Z:16378");
}

TEST(HyperLogLogTest, AHighRankOrALongValueMakesItDense) {
  HyperLogLog high(kMaxSparse);
  EXPECT_EQ(high.Raise({.index = 5, .rank = 32}), Change::kRaised);
  EXPECT_FALSE(high.dense());
  EXPECT_EQ(high.Raise({.index = 6, .rank = 33}), Change::kRaised);
  EXPECT_TRUE(high.dense());
  EXPECT_EQ(RegistersOf(high).at(5), 32);
  EXPECT_EQ(RegistersOf(high).at(6), 33);
  HyperLogLog crowded(HllView::kHeaderSize + 5);
  EXPECT_EQ(crowded.Raise({.index = 200, .rank = 1}), Change::kRaised);
  EXPECT_FALSE(crowded.dense());
  EXPECT_EQ(crowded.Raise({.index = 400, .rank = 1}), Change::kRaised);
  EXPECT_TRUE(crowded.dense());
  EXPECT_EQ(crowded.bytes().size(), HllView::kDenseSize);
}

TEST(HyperLogLogTest, BothFormsHoldWhatAnArrayHolds) {
  absl::BitGen random;
  HyperLogLog sparse(SIZE_MAX);
  HyperLogLog dense(SIZE_MAX);
  ASSERT_TRUE(dense.BecomeDense());
  HllRegisters expected;
  for (int i = 0; i < 5'000; ++i) {
    const HllMark mark{.index = absl::Uniform<uint32_t>(random, 0, HllRegisters::kCount),
                       .rank = absl::Uniform<uint8_t>(random, 1, 33)};
    const Change change = expected.at(mark.index) < mark.rank ? Change::kRaised : Change::kNone;
    expected.Raise(mark);
    EXPECT_EQ(sparse.Raise(mark), change);
    EXPECT_EQ(dense.Raise(mark), change);
  }
  EXPECT_FALSE(sparse.dense());
  for (uint32_t i = 0; i < HllRegisters::kCount; ++i) {
    ASSERT_EQ(RegistersOf(sparse).at(i), expected.at(i));
    ASSERT_EQ(RegistersOf(dense).at(i), expected.at(i));
    i += 7;
  }
  ASSERT_TRUE(sparse.BecomeDense());
  EXPECT_EQ(sparse.bytes(), dense.bytes());
}

TEST(HyperLogLogTest, GoingThroughTheRegistersInOrderGivesTheSameBytes) {
  absl::BitGen random;
  HyperLogLog in_one_go(SIZE_MAX);
  HyperLogLog anew(SIZE_MAX);
  for (uint32_t i = 0; i < HllRegisters::kCount; i += absl::Uniform<uint32_t>(random, 1, 200)) {
    const HllMark mark{.index = i, .rank = absl::Uniform<uint8_t>(random, 1, 4)};
    EXPECT_EQ(in_one_go.Raise(mark), Change::kRaised);
    HyperLogLog fresh(*HllView::Of(anew.bytes()), SIZE_MAX);
    EXPECT_EQ(fresh.Raise(mark), Change::kRaised);
    anew = fresh;
  }
  EXPECT_EQ(Runs(in_one_go), Runs(anew));
}

TEST(HyperLogLogTest, TheEstimateIsNearTheTruth) {
  HllRegisters registers;
  int next = 1;
  for (int i = 1; i <= 1'000'000; ++i) {
    registers.Raise(HllMarkOf("element:" + std::to_string(i)));
    if (i != next) continue;
    next *= 10;
    EXPECT_NEAR(static_cast<double>(registers.Estimate()), i, std::max(1.0, i * 0.04));
  }
}

TEST(HyperLogLogTest, AKeptCountIsForgotten) {
  HyperLogLog hll(kMaxSparse);
  hll.ForgetCount();
  EXPECT_EQ(HllView::Of(hll.bytes())->kept_count(), std::nullopt);
  const auto bytes = HllCountBytes(258);
  EXPECT_EQ(std::string(bytes.data(), 3), "\x02\x01\x00"s);
}

TEST(HyperLogLogTest, OtherStringsAreNone) {
  const HyperLogLog hll(kMaxSparse);
  EXPECT_FALSE(HllView::Of("").has_value());
  EXPECT_FALSE(HllView::Of("HYLL").has_value());
  EXPECT_FALSE(HllView::Of("hyll" + hll.bytes().substr(4)).has_value());
  std::string form = hll.bytes();
  form[4] = 2;
  EXPECT_FALSE(HllView::Of(form).has_value());
  form[4] = 0;
  EXPECT_FALSE(HllView::Of(form).has_value());
}

TEST(HyperLogLogTest, CorruptRunsAreNoticed) {
  for (const std::string& bytes : {WithRuns(""), WithRuns("\x7f"), WithRuns("\x7f\xfe"),
                                   WithRuns("\x7f\xff\x00"s), WithRuns("\x7f\xff\x80")}) {
    const HllView view = *HllView::Of(bytes);
    HllRegisters registers;
    EXPECT_FALSE(view.RaiseIn(registers));
    EXPECT_FALSE(HyperLogLog(view, kMaxSparse).BecomeDense());
  }
  HyperLogLog cut_off(*HllView::Of(WithRuns("\x00"s)), kMaxSparse);
  EXPECT_EQ(cut_off.Raise({.index = 0, .rank = 1}), Change::kRaised);
  EXPECT_EQ(cut_off.Raise({.index = 1, .rank = 1}), Change::kCorrupt);
}

}  // namespace
}  // namespace cloakroom
