#include "storage/values/int_set.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>
#include <string>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

TEST(IntSetTest, AbsentIsEmpty) {
  EXPECT_EQ(IntSetView({}).size(), 0u);
  EXPECT_FALSE(IntSetView({}).Contains(0));
}

TEST(IntSetTest, KeepsIntegersAscendingAndOnce) {
  FakeRegion region;
  IntSet set(region);
  EXPECT_TRUE(set.Add(5));
  EXPECT_TRUE(set.Add(-3));
  EXPECT_TRUE(set.Add(9));
  EXPECT_FALSE(set.Add(5));
  EXPECT_EQ(set.view().size(), 3u);
  EXPECT_EQ(set.view().At(0), -3);
  EXPECT_EQ(set.view().At(1), 5);
  EXPECT_EQ(set.view().At(2), 9);
}

TEST(IntSetTest, WidensWhenANumberNeedsIt) {
  FakeRegion region;
  IntSet set(region);
  set.Add(1);
  set.Add(-2);
  EXPECT_EQ(region.size(), 1u + 2 * 2);
  set.Add(40'000);
  EXPECT_EQ(region.size(), 1u + 3 * 4);
  set.Add(std::numeric_limits<int64_t>::min());
  EXPECT_EQ(region.size(), 1u + 4 * 8);
  for (const int64_t value : {std::numeric_limits<int64_t>::min(), int64_t{-2}, int64_t{1}}) {
    EXPECT_TRUE(set.view().Contains(value)) << value;
  }
  EXPECT_FALSE(set.view().Contains(2));
}

TEST(IntSetTest, RemoveTellsWhetherItWasThere) {
  FakeRegion region;
  IntSet set(region);
  EXPECT_FALSE(set.Remove(1));
  set.Add(1);
  EXPECT_FALSE(set.Remove(2));
  EXPECT_TRUE(set.Remove(1));
  EXPECT_FALSE(set.view().Contains(1));
  EXPECT_EQ(set.view().size(), 0u);
}

TEST(IntSetTest, ValidateRefusesWhatIsNoIntSet) {
  using std::string_literals::operator""s;
  EXPECT_TRUE(IntSetView::Validate("\2\1\0\2\0"s));
  EXPECT_FALSE(IntSetView::Validate("\3\1\0\2\0\0\0"s)) << "width";
  EXPECT_FALSE(IntSetView::Validate("\2\1\0\2"s)) << "half an integer";
  EXPECT_FALSE(IntSetView::Validate("\2\2\0\1\0"s)) << "descending";
  EXPECT_FALSE(IntSetView::Validate("\2\1\0\1\0"s)) << "twice";
}

TEST(IntSetTest, BehavesAsAStdSet) {
  FakeRegion region;
  IntSet set(region);
  std::set<int64_t> model;
  std::mt19937_64 rng(11);
  for (int step = 0; step < 20'000; ++step) {
    const unsigned bits = step < 7000 ? 9 : step < 14'000 ? 24 : 63;
    int64_t value = static_cast<int64_t>(rng() >> (64 - bits)) - (int64_t{1} << (bits - 1));
    if (rng() % 2 == 0 && !model.empty()) value = *model.begin();
    if (rng() % 2 == 0) {
      ASSERT_EQ(set.Add(value), model.insert(value).second);
    } else {
      ASSERT_EQ(set.Remove(value), model.erase(value) == 1);
    }
    ASSERT_EQ(set.view().size(), model.size());
    ASSERT_EQ(set.view().Contains(value), model.contains(value));
  }
  size_t index = 0;
  for (const int64_t value : model) EXPECT_EQ(set.view().At(index++), value);
  EXPECT_TRUE(IntSetView::Validate(region.bytes()));
}

}  // namespace
}  // namespace cloakroom
