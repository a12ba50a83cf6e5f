#include "storage/values/set.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

class SetTest : public ::testing::Test {
 protected:
  std::string_view Name() { return EncodingName(slot_.view()); }
  std::multiset<std::string> Members() {
    std::multiset<std::string> members;
    set_.view().ForEach([&](std::string_view member) { members.emplace(member); });
    return members;
  }

  EncodingLimits limits_;
  FakeSlot slot_;
  MutableSet set_{slot_, limits_};
  std::mt19937_64 rng_{2};
};

TEST_F(SetTest, AbsentIsEmpty) {
  EXPECT_TRUE(Set().empty());
  EXPECT_FALSE(Set().Contains("m"));
  EXPECT_FALSE(Set().Random(rng_));
  EXPECT_FALSE(set_.Remove("m"));
  EXPECT_FALSE(set_.Pop(rng_));
  EXPECT_FALSE(slot_.exists());
}

TEST_F(SetTest, IntegersAreAnIntSetAscending) {
  for (const char* member : {"5", "-1", "300"}) EXPECT_TRUE(set_.Add(member));
  EXPECT_FALSE(set_.Add("5"));
  EXPECT_EQ(Name(), "intset");
  EXPECT_TRUE(set_.view().Contains("300"));
  EXPECT_FALSE(set_.view().Contains("0300"));
  EXPECT_EQ(set_.view().At(0), "-1");
  EXPECT_FALSE(set_.Remove("x"));
  for (const char* member : {"5", "-1", "300"}) EXPECT_TRUE(set_.Remove(member));
  EXPECT_FALSE(slot_.exists());
}

TEST_F(SetTest, OtherMembersMakeAListpack) {
  set_.Add("1");
  set_.Add("007");
  EXPECT_EQ(Name(), "listpack");
  EXPECT_EQ(Members(), (std::multiset<std::string>{"1", "007"}));
  set_.Add(std::string(64, 'm'));
  EXPECT_EQ(Name(), "listpack");
  set_.Add(std::string(65, 'm'));
  EXPECT_EQ(Name(), "hashtable");
  EXPECT_EQ(slot_.encoding(), Encoding::kPacked);
}

TEST_F(SetTest, LargeIntSetBecomesATrieAndStaysOne) {
  for (int i = 0; i < 512; ++i) set_.Add(std::to_string(i));
  EXPECT_EQ(Name(), "intset");
  set_.Add("512");
  EXPECT_EQ(slot_.encoding(), Encoding::kTrie);
  EXPECT_EQ(set_.view().size(), 513u);
  for (int i = 0; i <= 512; ++i) EXPECT_TRUE(set_.Remove(std::to_string(i))) << i;
  EXPECT_FALSE(slot_.exists());
}

TEST_F(SetTest, IntSetBeyondTheListpackLimitBecomesATrieAtAWord) {
  for (int i = 0; i < 200; ++i) set_.Add(std::to_string(i));
  set_.Add("word");
  EXPECT_EQ(slot_.encoding(), Encoding::kTrie);
  EXPECT_EQ(set_.view().size(), 201u);
}

TEST_F(SetTest, MoreThanTheLimitBecomesATrie) {
  for (int i = 0; i < 128; ++i) set_.Add("m" + std::to_string(i));
  EXPECT_EQ(Name(), "listpack");
  EXPECT_FALSE(set_.Add("m5"));
  EXPECT_EQ(Name(), "listpack");
  set_.Add("one more");
  EXPECT_EQ(Name(), "hashtable");
  EXPECT_EQ(slot_.encoding(), Encoding::kTrie);
}

TEST_F(SetTest, PopEmptiesTheSetWithoutRepeating) {
  for (const int count : {20, 100, 1000}) {
    std::set<std::string> model;
    for (int i = 0; i < count; ++i) set_.Add(*model.insert("m" + std::to_string(i)).first);
    while (const auto member = set_.Pop(rng_)) EXPECT_EQ(model.erase(*member), 1u);
    EXPECT_TRUE(model.empty());
    EXPECT_FALSE(slot_.exists());
  }
}

TEST_F(SetTest, RandomIsUniform) {
  constexpr int kMembers = 1000;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kMembers; ++i) set_.Add("m" + std::to_string(i));
  std::map<std::string, int> draws;
  for (int i = 0; i < kDraws; ++i) ++draws[*set_.view().Random(rng_)];
  constexpr double kExpected = static_cast<double>(kDraws) / kMembers;
  double chi_square = 0;
  for (const auto& [member, count] : draws) chi_square += std::pow(count - kExpected, 2);
  chi_square /= kExpected;
  EXPECT_EQ(draws.size(), static_cast<size_t>(kMembers));
  // 999 degrees of freedom: mean 999, deviation 45; six deviations.
  EXPECT_LT(chi_square, 1270);
}

TEST_F(SetTest, ScanOfSmallSetsComesWhole) {
  set_.Add("3");
  set_.Add("1");
  std::multiset<std::string> seen;
  EXPECT_EQ(set_.view().Scan(0, 1, [&](std::string_view member) { seen.emplace(member); }), 0u);
  EXPECT_EQ(seen, (std::multiset<std::string>{"1", "3"}));
}

TEST_F(SetTest, BehavesAsAStdSet) {
  std::set<std::string> model;
  for (int step = 0; step < 30'000; ++step) {
    const bool growing = step / 2000 % 2 == 0;
    std::string member = std::to_string(rng_() % 700);
    if (step % 8000 > 4000 && rng_() % 3 == 0) member += "word";
    if (rng_() % 10 < (growing ? 7 : 2)) {
      ASSERT_EQ(set_.Add(member), model.insert(member).second);
    } else {
      ASSERT_EQ(set_.Remove(member), model.erase(member) == 1);
    }
    ASSERT_EQ(set_.view().size(), model.size());
    ASSERT_EQ(set_.view().Contains(member), model.contains(member));
    ASSERT_EQ(slot_.exists(), !model.empty());
  }
  EXPECT_EQ(Members(), std::multiset<std::string>(model.begin(), model.end()));
}

TEST_F(SetTest, AMemberIsHiddenFromTheMomentItExpires) {
  for (const char* member : {"a", "b", "c"}) set_.Add(member);
  EXPECT_TRUE(set_.SetMemberExpiry("a", 100));
  EXPECT_TRUE(set_.SetMemberExpiry("b", 200));
  EXPECT_FALSE(set_.SetMemberExpiry("x", 200));
  EXPECT_EQ(set_.view().NextExpiry(), 100);
  const Set before(slot_.view(), 99);
  const Set after(slot_.view(), 100);
  EXPECT_EQ(before.size(), 3u);
  EXPECT_EQ(after.size(), 2u);
  EXPECT_EQ(before.MemberExpiry("a"), 100);
  EXPECT_EQ(after.MemberExpiry("a"), std::nullopt);
  EXPECT_EQ(after.MemberExpiry("c"), kNever);
  EXPECT_FALSE(after.Contains("a"));
  for (int i = 0; i < 50; ++i) EXPECT_NE(after.Random(rng_), "a");
  EXPECT_TRUE(Set(slot_.view(), 300).Contains("c"));
}

TEST_F(SetTest, AddGivesAnExpiredMemberANewLife) {
  for (const bool large : {false, true}) {
    for (int i = 0; large && i < 1'000; ++i) set_.Add("other" + std::to_string(i));
    set_.Add("m");
    set_.SetMemberExpiry("m", 100);
    EXPECT_FALSE(MutableSet(slot_, limits_, 99).Add("m"));
    EXPECT_EQ(set_.view().MemberExpiry("m"), 100);
    EXPECT_TRUE(MutableSet(slot_, limits_, 100).Add("m"));
    EXPECT_EQ(set_.view().MemberExpiry("m"), kNever);
  }
}

TEST_F(SetTest, RemovingAnExpiredMemberFindsNone) {
  set_.Add("a");
  set_.Add("b");
  set_.SetMemberExpiry("a", 100);
  MutableSet later(slot_, limits_, 100);
  EXPECT_FALSE(later.Remove("a"));
  EXPECT_EQ(Members(), (std::multiset<std::string>{"b"}));
}

TEST_F(SetTest, ExpiredMembersAreErasedInPieces) {
  for (int i = 0; i < 1'000; ++i) {
    set_.Add("m" + std::to_string(i));
    if (i % 2 == 0) set_.SetMemberExpiry("m" + std::to_string(i), 100 + i);
  }
  EXPECT_EQ(MutableSet(slot_, limits_, 99).EraseExpired(10), 0u);
  MutableSet later(slot_, limits_, 2'000);
  EXPECT_EQ(later.EraseExpired(300), 300u);
  EXPECT_EQ(later.EraseExpired(300), 200u);
  EXPECT_EQ(set_.view().size(), 500u);
  EXPECT_EQ(set_.view().NextExpiry(), kNever);
}

TEST_F(SetTest, PersistKeepsAMember) {
  set_.Add("a");
  EXPECT_FALSE(set_.PersistMember("a"));
  set_.SetMemberExpiry("a", 100);
  EXPECT_TRUE(set_.PersistMember("a"));
  EXPECT_FALSE(set_.PersistMember("x"));
  EXPECT_EQ(set_.view().MemberExpiry("a"), kNever);
}

TEST_F(SetTest, IntegersThatExpireLeaveTheIntSet) {
  for (int i = 0; i < 500; ++i) set_.Add(std::to_string(i));
  EXPECT_EQ(Name(), "intset");
  EXPECT_EQ(set_.view().NextExpiry(), kNever);
  EXPECT_FALSE(set_.SetMemberExpiry("777", 100));
  EXPECT_EQ(Name(), "intset");
  EXPECT_TRUE(set_.SetMemberExpiry("77", 100));
  EXPECT_EQ(Name(), "hashtable");
  EXPECT_EQ(Set(slot_.view(), 100).size(), 499u);
}

}  // namespace
}  // namespace cloakroom
