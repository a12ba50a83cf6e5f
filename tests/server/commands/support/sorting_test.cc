#include "server/commands/support/sorting.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/values/list.h"
#include "storage/values/memory_slot.h"

namespace cloakroom {
namespace {

using Elements = std::vector<std::string>;

class SortingTest : public ::testing::Test {
 protected:
  void Push(std::initializer_list<std::string_view> elements) {
    MutableList list(slot_, limits_);
    for (const std::string_view element : elements) list.Push(ListEnd::kBack, element);
  }
  /// "error" alone if a weight is not a number.
  Elements Sorted(const SortOptions& options) {
    const auto sorted = SortedElements(
        slot_.view(), options,
        [&](std::string_view pattern, std::string_view element) -> std::optional<std::string> {
          const auto found = keys_.find(KeyOfPattern(pattern, element).key);
          return found == keys_.end() ? std::nullopt : std::optional(found->second);
        });
    return sorted.value_or(Elements{"error"});
  }

  const EncodingLimits limits_;
  MemorySlot slot_;
  std::map<std::string, std::string> keys_;
};

TEST_F(SortingTest, NumbersAreReadAsRedisReadsThem) {
  Push({"10", " 7", "", "0x10", "-inf", "1e1"});
  EXPECT_EQ(Sorted({}), (Elements{"-inf", "", " 7", "10", "1e1", "0x10"}));
  Push({"7 "});
  EXPECT_EQ(Sorted({}), Elements{"error"});
}

TEST_F(SortingTest, TextsCountUpToANulByteUnlessTheyAreStored) {
  using namespace std::string_literals;
  Push({std::string_view("\0b", 2), "", std::string_view("\0a", 2)});
  EXPECT_EQ(Sorted({.alpha = true}), (Elements{"\0b"s, "", "\0a"s}));
  EXPECT_EQ(Sorted({.alpha = true, .store = "d"}), (Elements{"", "\0a"s, "\0b"s}));
}

TEST_F(SortingTest, LimitLeavesAPart) {
  Push({"3", "1", "2"});
  EXPECT_EQ(Sorted({.offset = 1, .count = 1}), Elements{"2"});
  EXPECT_EQ(Sorted({.descending = true, .offset = -1, .count = 2}), (Elements{"3", "2"}));
  EXPECT_EQ(Sorted({.offset = 5, .count = 1}), Elements{});
  EXPECT_EQ(Sorted({.unsorted = true, .offset = 1}), (Elements{"1", "2"}));
  EXPECT_EQ(Sorted({.descending = true, .unsorted = true}), (Elements{"2", "1", "3"}));
}

TEST_F(SortingTest, AnElementWithoutAWeightComesFirst) {
  Push({"a", "b", "c"});
  keys_ = {{"w_a", "z"}, {"w_c", "y"}};
  EXPECT_EQ(Sorted({.alpha = true, .by = "w_*"}), (Elements{"b", "c", "a"}));
  EXPECT_EQ(Sorted({.by = "w_*"}), Elements{"error"});
  keys_ = {{"w_a", "5"}, {"w_c", "-1"}};
  EXPECT_EQ(Sorted({.by = "w_*"}), (Elements{"c", "b", "a"}));
}

TEST(KeyOfPatternTest, TheElementReplacesTheFirstStar) {
  EXPECT_EQ(KeyOfPattern("a*b*", "x").key, "axb*");
  EXPECT_EQ(KeyOfPattern("h_*->f", "x").key, "h_x");
  EXPECT_EQ(KeyOfPattern("h_*->f", "x").field, "f");
  EXPECT_EQ(KeyOfPattern("h_*->", "x").key, "h_x->");
  EXPECT_EQ(KeyOfPattern("h->f_*", "x").key, "h->f_x");
  EXPECT_TRUE(KeyOfPattern("h->f_*", "x").field.empty());
}

TEST(SortOptionsTest, PatternsWithAStarReadOtherKeys) {
  EXPECT_FALSE((SortOptions{.by = "nosort", .gets = {"#"}}).reads_others());
  EXPECT_TRUE((SortOptions{.by = "w_*"}).reads_others());
  EXPECT_TRUE((SortOptions{.gets = {"#", "v_*"}}).reads_others());
}

}  // namespace
}  // namespace cloakroom
