#include "storage/base/integer_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace cloakroom {
namespace {

TEST(IntegerTextTest, CanonicalFormsAreIntegers) {
  EXPECT_EQ(ParseCanonicalInt("0"), 0);
  EXPECT_EQ(ParseCanonicalInt("-1"), -1);
  EXPECT_EQ(ParseCanonicalInt("12345678901"), 12345678901);
  EXPECT_EQ(ParseCanonicalInt("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseCanonicalInt("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(IntegerTextTest, OtherFormsAreNot) {
  for (const std::string_view text :
       {"", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "abc",
        "9223372036854775808", "-9223372036854775809", "99999999999999999999", "--1"}) {
    EXPECT_EQ(ParseCanonicalInt(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseCanonicalInt(std::string_view("1\0", 2)), std::nullopt);
}

TEST(IntegerTextTest, EveryIntegerComesBack) {
  for (const int64_t value :
       {int64_t{0}, int64_t{-7}, int64_t{1'000'000}, std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min()}) {
    EXPECT_EQ(IntegerText(value).view(), std::to_string(value));
    EXPECT_EQ(ParseCanonicalInt(IntegerText(value).view()), value);
  }
}

}  // namespace
}  // namespace cloakroom
