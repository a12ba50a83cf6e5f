#include "replication/rdb/stream_listpack.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/replication/support/rdb_bytes.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

using Elements = std::vector<std::string>;

std::string Small(int number) { return std::string(1, static_cast<char>(number)); }

std::string TextOfLeaf(const StreamLeaf& leaf) {
  std::string text;
  for (size_t at = leaf.begin(); at < leaf.end();) {
    const StreamEntry entry = leaf.At(at);
    text.append(StreamIdText(entry.id()).view());
    entry.ForEach([&](const StreamText& field, const StreamText& value) {
      text.append(" ").append(field.view()).append("=").append(value.view());
    });
    text += "; ";
    at = leaf.Behind(entry);
  }
  return text;
}

/// Two entries with the field f, the first of which was erased, and one with the field g.
Elements Node() {
  return {Small(2), Small(1),
          Small(1), ListpackString("f"),
          Small(0), Small(3),
          Small(0), Small(0),
          Small(7), Small(4),
          Small(2), Small(1),
          Small(0), ListpackString("v"),
          Small(4), Small(0),
          Small(1), Small(1),
          Small(1), ListpackString("g"),
          Small(9), Small(6)};
}

TEST(StreamListpackTest, ANodeOfRedisIsRead) {
  const auto leaf = DecodeStreamListpack({5, 0}, Listpack(Node()));
  ASSERT_TRUE(leaf.ok()) << leaf.status();
  EXPECT_EQ(leaf->items, 2u);
  EXPECT_EQ(leaf->last, (StreamId{6, 1}));
  EXPECT_EQ(TextOfLeaf(StreamLeaf(leaf->bytes)), "6-0 f=v; 6-1 g=9; ");
  EXPECT_EQ(StreamLeaf(leaf->bytes).head().erased, 1u);
  EXPECT_EQ(StreamLeaf(leaf->bytes).ListpackBytes(2), Listpack(Node()).size());
}

TEST(StreamListpackTest, WhatIsWrittenIsRead) {
  FakeRegion region;
  const std::vector<std::string_view> words = {"a", "1", "b", "text"};
  const std::string begin = NewStreamLeaf({5, 3}, words);
  std::copy(begin.begin(), begin.end(), region.Splice(0, 0, begin.size()));
  StreamLeafWriter(region).Append({5, 3}, words);
  const std::string long_value(5000, 'x');
  const std::vector<std::string_view> others = {"c", long_value, "", "-70000"};
  StreamLeafWriter(region).Append({6, 0}, others);
  const std::string listpack = StreamListpackOf(StreamLeaf(region.bytes()), 2);
  EXPECT_EQ(listpack.size(), StreamLeaf(region.bytes()).ListpackBytes(2));
  const auto leaf = DecodeStreamListpack({5, 3}, listpack);
  ASSERT_TRUE(leaf.ok()) << leaf.status();
  EXPECT_EQ(leaf->bytes, region.bytes());
}

TEST(StreamListpackTest, DamagedNodesAreRefused) {
  const std::string good = Listpack(Node());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeStreamListpack({5, 0}, good.substr(0, size)).status()))
        << size;
  }
  const auto damaged = [](size_t at, const std::string& element) {
    Elements elements = Node();
    elements[at] = element;
    return absl::IsDataLoss(DecodeStreamListpack({5, 0}, Listpack(elements)).status());
  };
  EXPECT_TRUE(damaged(0, Small(3))) << "more entries than there are";
  EXPECT_TRUE(damaged(0, Small(1))) << "fewer";
  EXPECT_TRUE(damaged(1, Small(2))) << "more that were erased";
  EXPECT_TRUE(damaged(2, ListpackString("x"))) << "no number";
  EXPECT_TRUE(damaged(4, Small(1))) << "no zero behind the fields";
  EXPECT_TRUE(damaged(9, Small(5))) << "a wrong number of elements";
  EXPECT_TRUE(damaged(16, Small(0))) << "an ID before the last one";
  EXPECT_TRUE(damaged(18, Small(2))) << "more fields of its own";
}

}  // namespace
}  // namespace cloakroom
