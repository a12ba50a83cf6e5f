#include "storage/values/stream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/values/mutable_stream.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

class StreamTest : public ::testing::Test {
 protected:
  void AddUpTo(uint64_t last) {
    const std::vector<std::string_view> words = {"f", "v"};
    for (uint64_t ms = 1; ms <= last; ++ms) stream_.Append({ms, 0}, words);
  }
  std::optional<int64_t> LagAt(uint64_t ms, int64_t read) {
    StreamGroup group;
    group.last_id = {ms, 0};
    group.entries_read = read;
    return stream_.view().LagOf(group);
  }

  EncodingLimits limits_;
  FakeSlot slot_;
  MutableStream stream_{slot_, limits_};
};

TEST_F(StreamTest, AbsentIsEmpty) {
  EXPECT_TRUE(Stream().empty());
  EXPECT_EQ(Stream().size(), 0u);
  EXPECT_EQ(Stream().first_entry(), StreamId());
  EXPECT_EQ(Stream().last_entry(), StreamId());
  EXPECT_FALSE(Stream().Contains({1, 0}));
  EXPECT_EQ(Stream().FindGroup("g"), nullptr);
}

TEST_F(StreamTest, CountsAreKnownAtTheEdgesOnly) {
  AddUpTo(10);
  EXPECT_EQ(stream_.view().CountUpTo({10, 0}), 10);
  EXPECT_EQ(stream_.view().CountUpTo({0, 0}), 0);
  EXPECT_EQ(stream_.view().CountUpTo({1, 0}), 1);
  EXPECT_EQ(stream_.view().CountUpTo({5, 0}), std::nullopt);
  EXPECT_EQ(stream_.view().CountUpTo({11, 0}), std::nullopt);
}

TEST_F(StreamTest, LagIsUnknownAcrossAGap) {
  AddUpTo(10);
  EXPECT_EQ(LagAt(3, 3), 7);
  stream_.Erase({5, 0});
  EXPECT_EQ(LagAt(3, 3), std::nullopt);
  EXPECT_EQ(LagAt(6, 6), 4);
  EXPECT_EQ(LagAt(10, -1), 0);
  EXPECT_TRUE(stream_.view().HasGapsFrom({5, 0}));
  EXPECT_FALSE(stream_.view().HasGapsFrom({6, 0}));
}

TEST_F(StreamTest, TheRowSharesMeasuresAndReleases) {
  AddUpTo(500);
  stream_.CreateGroup("g", {}, 0);
  const TypeOps& ops = OpsOf(ValueType::kStream);
  EXPECT_EQ(ops.name, "stream");
  EXPECT_EQ(EncodingName(slot_.view()), "stream");
  EXPECT_GT(ValueMemory(slot_.view(), 0), 500u);
  EXPECT_GE(ReleaseCost(slot_.view()), 5u);
  const SharedValue copy(slot_.view());
  stream_.Trim({.max_size = 0});
  EXPECT_EQ(Stream(copy.view()).size(), 500u);
}

TEST_F(StreamTest, ItemsAreEntriesWithTheirWords) {
  AddUpTo(2);
  std::string text;
  OpsOf(ValueType::kStream)
      .for_each(
          slot_.view(),
          [&](const Item& item) { text.append(item.field).append(" ").append(item.value.bytes); },
          0);
  EXPECT_EQ(text, "1-0 1:f1:v2-0 1:f1:v");
}

}  // namespace
}  // namespace cloakroom
