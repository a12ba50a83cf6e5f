#include "storage/values/stream_group.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(StreamGroupTest, AnEntryIsPendingForOneConsumerAtATime) {
  StreamGroup group;
  StreamConsumer& a = group.Create("a", 1);
  StreamConsumer& b = group.Create("b", 2);
  group.Give(a, {1, 0}, 10, 1);
  group.Give(a, {2, 0}, 10, 1);
  group.Give(b, {1, 0}, 20, 2);
  EXPECT_EQ(a.pending.size(), 1u);
  EXPECT_TRUE(b.pending.Contains({1, 0}));
  EXPECT_EQ(group.pending().size(), 2u);
  EXPECT_EQ(group.NameOf(group.pending().Find({1, 0})->consumer), "b");
  EXPECT_EQ(group.pending().Find({1, 0})->deliveries, 2);
}

TEST(StreamGroupTest, DroppedEntriesArePendingForNobody) {
  StreamGroup group;
  group.Give(group.Create("a", 1), {1, 0}, 10, 1);
  EXPECT_FALSE(group.Drop({2, 0}));
  EXPECT_TRUE(group.Drop({1, 0}));
  EXPECT_FALSE(group.Drop({1, 0}));
  EXPECT_TRUE(group.Find("a")->pending.empty());
}

TEST(StreamGroupTest, AnErasedConsumerTakesItsEntriesAlongAndLeavesItsNumber) {
  StreamGroup group;
  const uint32_t number = group.Create("a", 1).number;
  group.Create("b", 1);
  group.Give(*group.Find("a"), {1, 0}, 10, 1);
  group.Give(*group.Find("b"), {2, 0}, 10, 1);
  group.EraseConsumer("a");
  EXPECT_EQ(group.Find("a"), nullptr);
  EXPECT_EQ(group.pending().size(), 1u);
  EXPECT_EQ(group.Create("c", 1).number, number);
}

TEST(StreamGroupTest, ACopyOfTheGroupsIsIndependent) {
  StreamGroups* const groups = StreamGroups::Create();
  StreamGroup& group = groups->by_name["g"];
  group.Give(group.Create("a", 1), {1, 0}, 10, 1);
  StreamGroups* const copy = groups->Copy();
  group.Drop({1, 0});
  group.Create("b", 1);
  const StreamGroup& copied = copy->by_name.at("g");
  EXPECT_EQ(copied.consumers().size(), 1u);
  EXPECT_EQ(copied.NameOf(copied.pending().Find({1, 0})->consumer), "a");
  EXPECT_TRUE(copied.Find("a")->pending.Contains({1, 0}));
  EXPECT_GT(MemoryOf(*copy, 0), sizeof(StreamGroups));
  EXPECT_GT(PartsOf(*copy), 2u);
  groups->Unref();
  copy->Unref();
}

}  // namespace
}  // namespace cloakroom
