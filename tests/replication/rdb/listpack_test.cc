#include "replication/rdb/listpack.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/replication/support/rdb_bytes.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

/// Its elements; "!" at the end when it is malformed.
std::string Read(std::string_view bytes) {
  ListpackReader list(bytes);
  RdbText element;
  std::string text;
  while (list.Next(element)) text += std::string(element.view()) + " ";
  return list.complete() ? text : text + "!";
}

TEST(ListpackTest, ReadsEveryEncoding) {
  EXPECT_EQ(Read(Listpack({"\x7f", ListpackString("abc"), "\xdf\xff", "\xd0\x00"s, "\xcf\xff"})),
            "127 abc -1 -4096 4095 ");
  EXPECT_EQ(Read(Listpack({"\xf1\x00\x80"s, "\xf2\x00\x00\x80"s, "\xf2\xff\xff\x7f",
                           "\xf3\x00\x00\x00\x80"s, "\xf4\xff\xff\xff\xff\xff\xff\xff\x7f"})),
            "-32768 -8388608 8388607 -2147483648 9223372036854775807 ");
  EXPECT_EQ(Read(Listpack({"\xe0\x03xyz", "\xf0\x02\x00\x00\x00pq"s})), "xyz pq ");
  EXPECT_EQ(Read(Listpack({})), "");
}

TEST(ListpackTest, LongElementsHaveLongBackLengths) {
  const std::string text(200, 't');
  const std::string element = "\xe0\xc8" + text + "\x01\xca";  // 202 in two bytes
  const std::string body = element + "\xff";
  EXPECT_EQ(Read(Bytes(static_cast<uint32_t>(body.size() + 6)) + Bytes(uint16_t{1}) + body),
            text + " ");
}

TEST(ListpackTest, WrongBackLengthsAreNotComplete) {
  std::string list = Listpack({"\x01", ListpackString("abc")});
  list[12] = 5;
  EXPECT_EQ(Read(list), "1 !");
  const std::string text(200, 't');
  for (const std::string behind : {"\x01\xcb", "\x02\xca", "\x81\xca", "\x01\x4a"}) {
    const std::string body = "\xe0\xc8" + text + behind + "\xff";
    EXPECT_EQ(Read(Bytes(static_cast<uint32_t>(body.size() + 6)) + Bytes(uint16_t{1}) + body), "!");
  }
}

TEST(ListpackTest, ACountOf65535MeansUnknown) {
  std::string list = Listpack({"\x01", "\x02"});
  list[4] = list[5] = '\xff';
  EXPECT_EQ(Read(list), "1 2 ");
}

TEST(ListpackTest, MalformedOnesAreNotComplete) {
  const std::string list = Listpack({"\x01", ListpackString("abc")});
  for (size_t cut = 0; cut < list.size(); ++cut) EXPECT_EQ(Read(list.substr(0, cut)).back(), '!');
  EXPECT_EQ(Read(list + "x").back(), '!');
  std::string wrong_count = list;
  wrong_count[4] = 3;
  EXPECT_EQ(Read(wrong_count).back(), '!');
  EXPECT_EQ(Read(Listpack({"\xf5"})).back(), '!');
}

}  // namespace
}  // namespace cloakroom
