#include "storage/values/stream_element.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cloakroom {
namespace {

std::string Stored(std::string_view text) {
  std::string bytes(StreamElementSize(text), '\0');
  EXPECT_EQ(StoreStreamElement(bytes.data(), text), bytes.data() + bytes.size()) << text;
  return bytes;
}

TEST(StreamElementTest, EveryTextComesBack) {
  std::vector<std::string> texts = {"", "a", "007", "+5", "-0", " 7", "9223372036854775808"};
  for (const size_t size : {63, 64, 4095, 4096, 70'000}) texts.emplace_back(size, 'x');
  for (const int64_t limit : {0L, 127L, 4095L, 32767L, 8388607L, 2147483647L, INT64_MAX}) {
    for (const int64_t number : {limit, -limit, limit == INT64_MAX ? INT64_MIN : limit + 1,
                                 limit == INT64_MAX ? INT64_MIN + 1 : -limit - 2}) {
      texts.push_back(std::to_string(number));
    }
  }
  for (const std::string& text : texts) {
    const std::string bytes = Stored(text);
    const char* at = bytes.data();
    EXPECT_EQ(SizeOfStreamElementAt(at), bytes.size()) << text;
    EXPECT_EQ(TakeStreamElement(at).view(), text);
    EXPECT_EQ(at, bytes.data() + bytes.size());
  }
}

TEST(StreamElementTest, SizesAreThoseOfAListpack) {
  EXPECT_EQ(StreamElementSize("127"), 1u);
  EXPECT_EQ(StreamElementSize("128"), 2u);
  EXPECT_EQ(StreamElementSize("-4096"), 2u);
  EXPECT_EQ(StreamElementSize("4096"), 3u);
  EXPECT_EQ(StreamElementSize("32768"), 4u);
  EXPECT_EQ(StreamElementSize("8388608"), 5u);
  EXPECT_EQ(StreamElementSize("2147483648"), 9u);
  EXPECT_EQ(StreamElementSize(std::string(63, 'x')), 64u);
  EXPECT_EQ(StreamElementSize(std::string(64, 'x')), 66u);
  EXPECT_EQ(StreamElementSize(std::string(4096, 'x')), 4101u);
}

TEST(StreamElementTest, SizesBehindElementsSkipTheGreatestNumberOfEachWidthButTheFirst) {
  EXPECT_EQ(ListpackSize(127), 128u);
  EXPECT_EQ(ListpackSize(128), 130u);
  EXPECT_EQ(ListpackSize(16'382), 16'384u);
  EXPECT_EQ(ListpackSize(16'383), 16'386u);
  EXPECT_EQ(ListpackSize(2'097'151), 2'097'155u);
  char bytes[5];
  ASSERT_EQ(StoreListpackBackLength(bytes, 300), bytes + 2);
  EXPECT_EQ(static_cast<uint8_t>(bytes[0]), 300 >> 7);
  EXPECT_EQ(static_cast<uint8_t>(bytes[1]), (300 & 0x7f) | 0x80);
}

TEST(StreamElementTest, VarintsTakeSevenBitsAByte) {
  for (const uint64_t number :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{16'384}, UINT64_MAX}) {
    char bytes[10];
    const char* at = bytes;
    EXPECT_EQ(StoreVarint(bytes, number), bytes + VarintSize(number));
    EXPECT_EQ(TakeVarint(at), number);
    EXPECT_EQ(at, bytes + VarintSize(number));
  }
  EXPECT_EQ(VarintSize(127), 1u);
  EXPECT_EQ(VarintSize(128), 2u);
  EXPECT_EQ(VarintSize(UINT64_MAX), 10u);
}

}  // namespace
}  // namespace cloakroom
