#include "replication/rdb/zipmap.h"

#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

using namespace std::string_literals;

std::string Read(std::string_view bytes) {
  ZipmapReader map(bytes);
  RdbText element;
  std::string text;
  while (map.Next(element)) text += std::string(element.view()) + " ";
  return map.complete() ? text : text + "!";
}

TEST(ZipmapTest, ReadsFieldsAndValuesAndSkipsUnusedBytes) {
  EXPECT_EQ(Read("\x02\x03"
                 "foo"
                 "\x03\x00"
                 "bar"
                 "\x01x"
                 "\x01\x02"
                 "y??"
                 "\xff"s),
            "foo bar x y ");
  EXPECT_EQ(Read("\xfe\x01"
                 "f"
                 "\xfe\x01\x00\x00\x00\x00"
                 "v"
                 "\xff"s),
            "f v ");
}

TEST(ZipmapTest, MalformedOnesAreNotComplete) {
  const std::string map =
      "\x01\x03"
      "foo"
      "\x03\x00"
      "bar"
      "\xff"s;
  ASSERT_EQ(Read(map), "foo bar ");
  for (size_t cut = 0; cut < map.size(); ++cut) EXPECT_EQ(Read(map.substr(0, cut)).back(), '!');
  EXPECT_EQ(Read(map + "x").back(), '!');
  EXPECT_EQ(Read("\x01\x03"
                 "foo"
                 "\xff"s)
                .back(),
            '!');  // a field alone
  EXPECT_EQ(Read("\x02\x01"
                 "f"
                 "\x01\x00"
                 "v"
                 "\xff"s)
                .back(),
            '!');
}

}  // namespace
}  // namespace cloakroom
