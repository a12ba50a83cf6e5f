#include "server/commands/support/bits.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

std::string RandomBytes(std::mt19937& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

TEST(Bits, FirstBitIsTheHighestOfTheFirstByte) {
  const std::string bytes("\x80\x01", 2);
  EXPECT_TRUE(BitAt(bytes, 0));
  EXPECT_FALSE(BitAt(bytes, 1));
  EXPECT_TRUE(BitAt(bytes, 15));
  EXPECT_FALSE(BitAt(bytes, 16));
  EXPECT_FALSE(BitAt(bytes, uint64_t{1} << 40));
}

TEST(Bits, CountAgreesWithBitByBit) {
  std::mt19937 random(1);
  const std::string bytes = RandomBytes(random, 150);
  for (int i = 0; i < 2000; ++i) {
    uint64_t first = random() % 1200;
    uint64_t last = random() % 1200;
    if (first > last) std::swap(first, last);
    uint64_t expected = 0;
    for (uint64_t bit = first; bit <= last; ++bit) expected += BitAt(bytes, bit) ? 1 : 0;
    EXPECT_EQ(CountBits(bytes, first, last), expected) << first << " " << last;
  }
}

TEST(Bits, FindAgreesWithBitByBit) {
  std::mt19937 random(2);
  for (int i = 0; i < 3000; ++i) {
    const bool bit = random() % 2 == 0;
    std::string bytes(1 + random() % 60, bit ? '\0' : '\xff');
    for (int n = static_cast<int>(random() % 3); n > 0; --n) {
      SetBitAt(bytes.data(), random() % (bytes.size() * 8), bit);
    }
    uint64_t first = random() % (bytes.size() * 8);
    uint64_t last = random() % (bytes.size() * 8);
    if (first > last) std::swap(first, last);
    std::optional<uint64_t> expected;
    for (uint64_t at = first; at <= last && !expected; ++at) {
      if (BitAt(bytes, at) == bit) expected = at;
    }
    EXPECT_EQ(FindBit(bytes, bit, first, last), expected) << first << " " << last;
  }
}

TEST(Bits, FieldsReadBackAndLeaveTheirNeighboursAlone) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string bytes(20, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string before = bytes;
    const int width = 1 + static_cast<int>(random() % 64);
    const uint64_t offset = random() % (160 - static_cast<uint64_t>(width) + 1);
    const uint64_t value = random() >> (64 - width);
    WriteField(bytes.data(), offset, width, value);
    EXPECT_EQ(ReadField(bytes, offset, width), value);
    for (uint64_t bit = 0; bit < 160; ++bit) {
      if (bit >= offset && bit < offset + static_cast<uint64_t>(width)) continue;
      ASSERT_EQ(BitAt(bytes, bit), BitAt(before, bit));
    }
  }
}

TEST(Bits, FieldsReadZeroesBehindTheEnd) {
  EXPECT_EQ(ReadField("\xff", 4, 8), 0xf0u);
  EXPECT_EQ(ReadField("\xff", 8, 64), 0u);
  EXPECT_EQ(ReadField("", uint64_t{1} << 35, 64), 0u);
}

TEST(Bits, CombineAgreesWithByteByByte) {
  std::mt19937 random(4);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> texts(1 + random() % 4);
    size_t size = 0;
    for (std::string& text : texts) {
      text = RandomBytes(random, random() % (i % 10 == 0 ? 30'000 : 40));
      size = std::max(size, text.size());
    }
    const std::vector<std::string_view> sources(texts.begin(), texts.end());
    auto at = [](const std::string& text, size_t k) {
      return k < text.size() ? static_cast<uint8_t>(text[k]) : uint8_t{0};
    };
    for (BitOperation operation : {BitOperation::kAnd, BitOperation::kOr, BitOperation::kXor}) {
      std::string out(size, '?');
      CombineBits(operation, sources, out.data(), size);
      for (size_t k = 0; k < size; ++k) {
        int expected = at(texts[0], k);
        for (size_t s = 1; s < texts.size(); ++s) {
          if (operation == BitOperation::kAnd) expected &= at(texts[s], k);
          if (operation == BitOperation::kOr) expected |= at(texts[s], k);
          if (operation == BitOperation::kXor) expected ^= at(texts[s], k);
        }
        ASSERT_EQ(static_cast<uint8_t>(out[k]), expected) << k;
      }
    }
    std::string inverted(texts[0].size(), '?');
    CombineBits(BitOperation::kNot, std::span(sources).first(1), inverted.data(), inverted.size());
    for (size_t k = 0; k < inverted.size(); ++k) ASSERT_EQ(inverted[k], ~texts[0][k]);
  }
}

}  // namespace
}  // namespace cloakroom
