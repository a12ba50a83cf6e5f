#include "storage/values/zset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/support/fake_slot.h"
#include "tests/storage/support/value_text.h"

namespace cloakroom {
namespace {

using Model = std::map<std::string, double>;
using Pairs = std::vector<std::pair<double, std::string>>;

/// The members of a model in the order of a sorted set.
Pairs InOrder(const Model& model) {
  Pairs pairs;
  for (const auto& [member, score] : model) pairs.emplace_back(score, member);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Pairs RangeOf(const Zset& zset, size_t first, size_t count, bool descending) {
  Pairs pairs;
  zset.ForRange(first, count, descending, [&](const ScoredItem& item) {
    pairs.emplace_back(item.score, std::string(item.member));
  });
  return pairs;
}

Pairs AllOf(const Zset& zset) { return RangeOf(zset, 0, zset.size(), /*descending=*/false); }

class ZsetTest : public ::testing::Test {
 protected:
  std::string_view Name() { return EncodingName(slot_.view()); }
  void Fill(int members) {
    for (int i = 0; i < members; ++i) zset_.Put("m" + std::to_string(i), i % 10);
  }

  EncodingLimits limits_;
  FakeSlot slot_;
  MutableZset zset_{slot_, limits_};
};

TEST_F(ZsetTest, AbsentIsEmpty) {
  EXPECT_TRUE(Zset().empty());
  EXPECT_FALSE(Zset().Score("m"));
  EXPECT_FALSE(Zset().Rank("m"));
  EXPECT_EQ(Zset().CountBelow(0, true), 0u);
  EXPECT_EQ(Zset().CountBelowMember("m", true), 0u);
  EXPECT_TRUE(AllOf(Zset()).empty());
  EXPECT_FALSE(zset_.Remove("m"));
  EXPECT_FALSE(slot_.exists());
}

TEST_F(ZsetTest, KeepsItsOrder) {
  EXPECT_TRUE(zset_.Put("b", 2));
  EXPECT_TRUE(zset_.Put("c", 1));
  EXPECT_TRUE(zset_.Put("a", 2));
  EXPECT_FALSE(zset_.Put("c", 1));
  EXPECT_EQ(TextOf(slot_.view()), "c=1 a=2 b=2");
  EXPECT_FALSE(zset_.Put("c", 3));
  EXPECT_EQ(TextOf(slot_.view()), "a=2 b=2 c=3");
  EXPECT_EQ(zset_.view().Rank("c"), 2u);
  EXPECT_EQ(zset_.view().Score("b"), 2);
  EXPECT_EQ(zset_.view().At(1).member, "b");
}

TEST_F(ZsetTest, CountsBelowAScore) {
  for (const auto& [member, score] : {std::pair("a", 1.0), {"b", 2.0}, {"c", 2.0}, {"d", 3.0}}) {
    zset_.Put(member, score);
  }
  EXPECT_EQ(zset_.view().CountBelow(2, false), 1u);
  EXPECT_EQ(zset_.view().CountBelow(2, true), 3u);
  EXPECT_EQ(zset_.view().CountBelow(-5, true), 0u);
  EXPECT_EQ(zset_.view().CountBelow(5, false), 4u);
}

TEST_F(ZsetTest, CountsBelowAMember) {
  for (const char* member : {"a", "b", "d"}) zset_.Put(member, 0);
  EXPECT_EQ(zset_.view().CountBelowMember("b", false), 1u);
  EXPECT_EQ(zset_.view().CountBelowMember("b", true), 2u);
  EXPECT_EQ(zset_.view().CountBelowMember("c", true), 2u);
}

TEST_F(ZsetTest, RemovingTheLastMemberRemovesTheSlot) {
  zset_.Put("a", 1);
  EXPECT_FALSE(zset_.Remove("b"));
  EXPECT_TRUE(zset_.Remove("a"));
  EXPECT_FALSE(slot_.exists());
  Fill(300);
  zset_.RemoveRange(0, 300);
  EXPECT_FALSE(slot_.exists());
}

TEST_F(ZsetTest, ALongMemberIsASkiplistToClients) {
  zset_.Put(std::string(64, 'm'), 1);
  EXPECT_EQ(Name(), "listpack");
  zset_.Put(std::string(65, 'm'), 1);
  EXPECT_EQ(Name(), "skiplist");
  EXPECT_EQ(slot_.encoding(), Encoding::kPacked);
  zset_.Remove(std::string(65, 'm'));
  EXPECT_EQ(Name(), "skiplist");
}

TEST_F(ZsetTest, ManyMembersBecomeATreeAndStayOne) {
  Fill(128);
  EXPECT_EQ(Name(), "listpack");
  Fill(129);
  EXPECT_EQ(slot_.encoding(), Encoding::kBTree);
  EXPECT_EQ(Name(), "skiplist");
  EXPECT_EQ(zset_.view().size(), 129u);
  EXPECT_EQ(zset_.view().Score("m128"), 8);
  for (int i = 1; i < 129; ++i) EXPECT_TRUE(zset_.Remove("m" + std::to_string(i)));
  EXPECT_EQ(slot_.encoding(), Encoding::kBTree);
  EXPECT_EQ(TextOf(slot_.view()), "m0=0");
}

TEST_F(ZsetTest, LargeMembersBecomeATree) {
  for (int i = 0; i < 20; ++i) zset_.Put(std::string(1000, static_cast<char>('a' + i)), i);
  EXPECT_EQ(slot_.encoding(), Encoding::kBTree);
  EXPECT_EQ(zset_.view().At(19).member, std::string(1000, 't'));
}

TEST_F(ZsetTest, ScanVisitsEveryMember) {
  Fill(1000);
  std::map<std::string, double> seen;
  uint64_t cursor = 0;
  int steps = 0;
  do {
    cursor = zset_.view().Scan(
        cursor, 10, [&](const ScoredItem& item) { seen[std::string(item.member)] = item.score; });
    ++steps;
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ(seen["m777"], 7);
  EXPECT_GT(steps, 10);
}

TEST_F(ZsetTest, ASharedCopyStaysAsItWas) {
  Fill(500);
  const SharedValue shared = zset_.view().Share();
  const Pairs before = AllOf(Zset(shared.view()));
  EXPECT_TRUE(zset_.view().Is(shared));
  for (int i = 0; i < 500; i += 2) zset_.Remove("m" + std::to_string(i));
  zset_.Put("new", 5);
  EXPECT_FALSE(zset_.view().Is(shared));
  EXPECT_EQ(AllOf(Zset(shared.view())), before);
  EXPECT_EQ(zset_.view().size(), 251u);
}

TEST_F(ZsetTest, MemoryGrowsWithTheMembers) {
  Fill(100);
  EXPECT_EQ(ValueMemory(slot_.view()), 0u);
  Fill(10'000);
  const size_t exact = ValueMemory(slot_.view(), 0);
  EXPECT_GT(exact, 10'000u * 10);
  EXPECT_LT(exact, 10'000u * 60);
  EXPECT_NEAR(double(ValueMemory(slot_.view(), 50)), double(exact), double(exact) / 4);
  EXPECT_GT(ReleaseCost(slot_.view()), 100u);
}

/// Compares everything that a reader can ask with a model.
void ExpectEqual(const Zset& zset, const Model& model, std::mt19937& rng) {
  const Pairs expected = InOrder(model);
  ASSERT_EQ(AllOf(zset), expected);
  ASSERT_EQ(zset.size(), expected.size());
  if (expected.empty()) return;
  const size_t first = rng() % expected.size();
  const size_t count = rng() % (expected.size() - first + 1);
  Pairs part(expected.begin() + static_cast<int64_t>(first),
             expected.begin() + static_cast<int64_t>(first + count));
  EXPECT_EQ(RangeOf(zset, first, count, false), part);
  std::reverse(part.begin(), part.end());
  EXPECT_EQ(RangeOf(zset, first, count, true), part);
  const auto& [score, member] = expected[first];
  EXPECT_EQ(zset.Score(member), score);
  EXPECT_EQ(zset.Rank(member), first);
  EXPECT_EQ(zset.At(first).member, member);
  const auto below = [&](const auto& pair) { return pair.first < score; };
  const auto not_above = [&](const auto& pair) { return pair.first <= score; };
  EXPECT_EQ(zset.CountBelow(score, false), std::ranges::count_if(expected, below));
  EXPECT_EQ(zset.CountBelow(score, true), std::ranges::count_if(expected, not_above));
}

void ChangeAtRandom(MutableZset& zset, Model& model, std::mt19937& rng, int members) {
  const std::string member = "member:" + std::to_string(rng() % static_cast<unsigned>(members));
  const unsigned action = rng() % 20;
  if (action < 12) {
    const double score = action < 6 ? rng() % 8 : double(rng()) / 7;
    EXPECT_EQ(zset.Put(member, score), model.insert_or_assign(member, score).second);
  } else if (action < 19) {
    EXPECT_EQ(zset.Remove(member), model.erase(member) == 1);
  } else if (!model.empty()) {
    const size_t first = rng() % model.size();
    const size_t count = rng() % std::min<size_t>(model.size() - first + 1, 100);
    const Pairs order = InOrder(model);
    for (size_t i = first; i < first + count; ++i) model.erase(order[i].second);
    zset.RemoveRange(first, count);
  }
}

TEST(ZsetModelTest, AnyChangesAlsoOfSharedCopies) {
  for (const int members : {20, 300, 3000}) {
    std::mt19937 rng(static_cast<unsigned>(members));
    EncodingLimits limits;
    FakeSlot slot;
    MutableZset zset(slot, limits);
    Model model;
    std::vector<std::pair<SharedValue, Model>> copies;
    for (int round = 0; round < 6000; ++round) {
      ChangeAtRandom(zset, model, rng, members);
      if (round % 500 == 0 && slot.exists()) copies.emplace_back(zset.view().Share(), model);
      if (round % 100 == 0) ExpectEqual(zset.view(), model, rng);
    }
    for (const auto& [copy, then] : copies) ExpectEqual(Zset(copy.view()), then, rng);
  }
}

}  // namespace
}  // namespace cloakroom
