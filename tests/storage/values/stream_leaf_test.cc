#include "storage/values/stream_leaf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

using Words = std::vector<std::string_view>;

class StreamLeafTest : public ::testing::Test {
 protected:
  void Begin(const StreamId& id, const Words& words) {
    const std::string leaf = NewStreamLeaf(id, words);
    std::copy(leaf.begin(), leaf.end(), region_.Splice(0, region_.size(), leaf.size()));
    Append(id, words);
  }
  void Append(const StreamId& id, const Words& words) {
    StreamLeafWriter(region_).Append(id, words);
    ++items_;
  }
  std::string Text() {
    std::string text;
    const StreamLeaf leaf(region_.bytes());
    for (size_t at = leaf.begin(); at < leaf.end();) {
      const StreamEntry entry = leaf.At(at);
      text.append(StreamIdText(entry.id()).view()).append(entry.has_own_fields() ? " own" : "");
      entry.ForEach([&](const StreamText& field, const StreamText& value) {
        text.append(" ").append(field.view()).append("=").append(value.view());
      });
      text += "; ";
      at = leaf.Behind(entry);
    }
    return text;
  }

  FakeRegion region_;
  size_t items_ = 0;
};

TEST_F(StreamLeafTest, EntriesWithTheSameFieldsHaveOnlyValues) {
  Begin({5, 3}, {"a", "1", "b", "x"});
  Append({5, 4}, {"a", "2", "b", ""});
  Append({9, 0}, {"b", "2", "a", "3"});
  Append({9, 1}, {"a", "9"});
  EXPECT_EQ(Text(), "5-3 a=1 b=x; 5-4 a=2 b=; 9-0 own b=2 a=3; 9-1 own a=9; ");
  EXPECT_EQ(StreamLeaf(region_.bytes()).head().last, (StreamId{9, 1}));
}

TEST_F(StreamLeafTest, SequenceNumbersMayBeSmallerThanTheFirst) {
  Begin({1, UINT64_MAX}, {"a", "1"});
  Append({2, 0}, {"a", "2"});
  Append({UINT64_MAX, UINT64_MAX}, {"a", "3"});
  EXPECT_EQ(Text(),
            "1-18446744073709551615 a=1; 2-0 a=2; "
            "18446744073709551615-18446744073709551615 a=3; ");
}

TEST_F(StreamLeafTest, TheSizeOfRedisNodeIsKnown) {
  // 7 bytes around; two counts, the number of fields, "a" and a zero; flags, two differences, a
  // value and the number of elements. All but "a" are small numbers, of two bytes each.
  Begin({5, 3}, {"a", "1"});
  EXPECT_EQ(StreamLeaf(region_.bytes()).ListpackBytes(1), 7u + 2 + 2 + 2 + 3 + 2 + 5 * 2);
  // The number of its own fields, and the field itself.
  Append({5, 4}, {"b", "1"});
  EXPECT_EQ(StreamLeaf(region_.bytes()).ListpackBytes(2), 28u + 5 * 2 + 2 + 3);
}

TEST_F(StreamLeafTest, WhatIsErasedStillCountsInRedisNode) {
  Begin({1, 0}, {"a", "1"});
  Append({2, 0}, {"a", "2"});
  const size_t bytes = StreamLeaf(region_.bytes()).ListpackBytes(2);
  const StreamLeaf leaf(region_.bytes());
  StreamLeafWriter(region_).Erase(leaf.begin(), leaf.Behind(leaf.At(leaf.begin())), 1);
  EXPECT_EQ(Text(), "2-0 a=2; ");
  const StreamLeafHead head = StreamLeaf(region_.bytes()).head();
  EXPECT_EQ(head.erased, 1u);
  EXPECT_EQ(head.first, (StreamId{1, 0}));
  EXPECT_EQ(StreamLeaf(region_.bytes()).ListpackBytes(1), bytes);
}

}  // namespace
}  // namespace cloakroom
