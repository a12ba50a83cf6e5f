#include "replication/rdb/ziplist.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/replication/support/rdb_bytes.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

/// A ziplist of short elements, which are given without the size of the element before.
std::string Ziplist(const std::vector<std::string>& elements) {
  std::string body;
  size_t previous = 0;
  for (const std::string& element : elements) {
    body += static_cast<char>(previous) + element;
    previous = element.size() + 1;
  }
  const auto tail = static_cast<uint32_t>(10 + body.size() - previous);
  return Bytes(static_cast<uint32_t>(body.size() + 11)) + Bytes(tail) +
         Bytes(static_cast<uint16_t>(elements.size())) + body + "\xff";
}

std::string Read(std::string_view bytes) {
  ZiplistReader list(bytes);
  RdbText element;
  std::string text;
  while (list.Next(element)) text += std::string(element.view()) + " ";
  return list.complete() ? text : text + "!";
}

TEST(ZiplistTest, ReadsEveryEncoding) {
  EXPECT_EQ(Read(Ziplist({"\x03"
                          "abc",
                          "\x40\x02xy", "\x80\x00\x00\x00\x01z"s})),
            "abc xy z ");
  EXPECT_EQ(Read(Ziplist({"\xf1", "\xfd", "\xfe\xff", "\xc0\x00\x80"s, "\xf0\x00\x00\x80"s})),
            "0 12 -1 -32768 -8388608 ");
  EXPECT_EQ(Read(Ziplist({"\xd0\x00\x00\x00\x80"s, "\xe0\xff\xff\xff\xff\xff\xff\xff\x7f"})),
            "-2147483648 9223372036854775807 ");
}

TEST(ZiplistTest, TheSizeBeforeAnElementMayHaveFiveBytes) {
  const auto list = [](std::string_view previous) {
    const std::string body = "\x00\x01x\xfe"s + std::string(previous) + "\x01y\xff";
    return Bytes(static_cast<uint32_t>(body.size() + 10)) + Bytes(uint32_t{13}) +
           Bytes(uint16_t{2}) + body;
  };
  EXPECT_EQ(Read(list("\x03\x00\x00\x00"s)), "x y ");
  EXPECT_EQ(Read(list("\x03\x01\x00\x00"s)).back(), '!');
}

TEST(ZiplistTest, ARightTailAndRightSizesBeforeTheElementsAreRequired) {
  const std::string list = Ziplist({"\xf1", "\xf2", "\xf3"});
  for (const size_t at : {4u, 10u, 12u, 14u}) {
    std::string damaged = list;
    damaged[at] = static_cast<char>(damaged[at] + 2);
    EXPECT_EQ(Read(damaged).back(), '!') << at;
  }
  EXPECT_EQ(Read(list), "0 1 2 ");
  EXPECT_EQ(Read(Ziplist({})), "");
}

TEST(ZiplistTest, MalformedOnesAreNotComplete) {
  const std::string list = Ziplist({"\xf1",
                                    "\x03"
                                    "abc"});
  for (size_t cut = 0; cut < list.size(); ++cut) EXPECT_EQ(Read(list.substr(0, cut)).back(), '!');
  EXPECT_EQ(Read(list + "x").back(), '!');
  EXPECT_EQ(Read(Ziplist({"\xc1"})).back(), '!');
}

}  // namespace
}  // namespace cloakroom
