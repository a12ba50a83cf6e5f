#include "protocol/numbers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace cloakroom {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(ParseIntegerTest, ReadsTheWholeRange) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("7"), 7);
  EXPECT_EQ(ParseInteger("-7"), -7);
  EXPECT_EQ(ParseInteger("9223372036854775807"), kMax);
  EXPECT_EQ(ParseInteger("-9223372036854775808"), kMin);
}

TEST(ParseIntegerTest, RefusesWhatIsOutOfRange) {
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                           "99999999999999999999", "-99999999999999999999"}) {
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
}

TEST(ParseIntegerTest, RefusesWhatIsNotCanonical) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "01", "-01", "-0", "00", "1.0", "0x1", "--1",
                           "1-", "/", ":", "one"}) {
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInteger(std::string_view("1\0", 2)), std::nullopt);
}

TEST(ParseUnsignedTest, ReadsTheWholeRange) {
  EXPECT_EQ(ParseUnsigned("0"), 0u);
  EXPECT_EQ(ParseUnsigned("18446744073709551615"), std::numeric_limits<uint64_t>::max());
}

TEST(ParseUnsignedTest, RefusesSignsAndWhatIsOutOfRange) {
  for (const char* text : {"", "-1", "+1", "01", "18446744073709551616", "99999999999999999999",
                           "100000000000000000000"}) {
    EXPECT_EQ(ParseUnsigned(text), std::nullopt) << text;
  }
}

TEST(ParseDoubleTest, ReadsWhatStrtodReads) {
  EXPECT_EQ(ParseDouble("0"), 0.0);
  EXPECT_EQ(ParseDouble("1.5"), 1.5);
  EXPECT_EQ(ParseDouble("+5"), 5.0);
  EXPECT_EQ(ParseDouble("-.5"), -0.5);
  EXPECT_EQ(ParseDouble("5."), 5.0);
  EXPECT_EQ(ParseDouble("00012"), 12.0);
  EXPECT_EQ(ParseDouble("1E+5"), 100000.0);
  EXPECT_EQ(ParseDouble("0x1p-2"), 0.25);
  EXPECT_EQ(ParseDouble("5e-324"), 5e-324);
  EXPECT_TRUE(std::signbit(*ParseDouble("-0")));
  EXPECT_EQ(ParseDouble(std::string(200, '0') + "1"), 1.0);
}

TEST(ParseDoubleTest, ReadsInfinityInEveryCase) {
  double infinity = std::numeric_limits<double>::infinity();
  for (const char* text : {"inf", "+inf", "INF", "iNf", "infinity", "+Infinity"}) {
    EXPECT_EQ(ParseDouble(text), infinity) << text;
  }
  EXPECT_EQ(ParseDouble("-inf"), -infinity);
  EXPECT_EQ(ParseDouble("-infinity"), -infinity);
}

TEST(ParseDoubleTest, RefusesSpacesAndRubbish) {
  for (const char* text : {"", " 5", "5 ", "\t5", "e5", "1e", "0x", "-", "+", ".", "1_0", "infx",
                           "1,5", "5f", "--5", "+-5"}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDouble(std::string_view("5\0", 2)), std::nullopt);
}

TEST(ParseDoubleTest, RefusesNan) {
  for (const char* text : {"nan", "-nan", "NaN", "nan(1)"}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
}

TEST(ParseDoubleTest, RefusesOverflowAndUnderflow) {
  for (const char* text : {"1e400", "-1e400", "1e-400", "1e-324"}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
}

TEST(ParseDoubleTest, LooksOnlyAtItsView) {
  std::string_view digits = "12345";
  EXPECT_EQ(ParseDouble(digits.substr(0, 2)), 12.0);
}

TEST(ParseLongDoubleTest, ReadsMoreDigitsThanADouble) {
  EXPECT_EQ(ParseLongDouble("0.1"), 0.1L);
  EXPECT_EQ(ParseLongDouble("1e4000"), 1e4000L);
}

TEST(ParseLongDoubleTest, RefusesWhatRedisRefuses) {
  for (const char* text : {"", " 1", "1 ", "nan", "1e5000", "1e-5000", "abc"}) {
    EXPECT_EQ(ParseLongDouble(text), std::nullopt) << text;
  }
}

TEST(ParseLongDoubleTest, RefusesTextThatRedisHasNoRoomFor) {
  EXPECT_EQ(ParseLongDouble(std::string(5119, '0')), 0.0L);
  EXPECT_EQ(ParseLongDouble(std::string(5120, '0')), std::nullopt);
}

TEST(FormatLongDoubleTest, PrintsNoTrailingZerosAndNoExponent) {
  EXPECT_EQ(FormatLongDouble(0.1L), "0.1");
  EXPECT_EQ(FormatLongDouble(3.0L), "3");
  EXPECT_EQ(FormatLongDouble(100.0L), "100");
  EXPECT_EQ(FormatLongDouble(0.0L), "0");
  EXPECT_EQ(FormatLongDouble(5000.0L), "5000");
  EXPECT_EQ(FormatLongDouble(1e17L), "100000000000000000");
  EXPECT_EQ(FormatLongDouble(*ParseLongDouble("12345678901234567.89")),
            "12345678901234567.8896484375");
  EXPECT_EQ(FormatLongDouble(0.30000000000000004L), "0.30000000000000004");
  EXPECT_EQ(FormatLongDouble(1e4000L).size(), 4000u);
}

TEST(FormatLongDoubleTest, NeverPrintsMinusZero) {
  EXPECT_EQ(FormatLongDouble(-0.0L), "0");
  EXPECT_EQ(FormatLongDouble(-1e-30L), "0");
  EXPECT_EQ(FormatLongDouble(-1.5L), "-1.5");
}

TEST(FormatLongDoubleTest, NamesInfinities) {
  EXPECT_EQ(FormatLongDouble(std::numeric_limits<long double>::infinity()), "inf");
  EXPECT_EQ(FormatLongDouble(-std::numeric_limits<long double>::infinity()), "-inf");
}

TEST(FormatLongDoubleTest, HoldsTheLargestNumber) {
  EXPECT_EQ(FormatLongDouble(std::numeric_limits<long double>::lowest()).size(), 4934u);
}

// Recorded from ZSCORE of redis-server 7.0.15.
TEST(FormatDoubleTest, PrintsSeventeenDigits) {
  EXPECT_EQ(FormatDouble(0.1), "0.10000000000000001");
  EXPECT_EQ(FormatDouble(1.5), "1.5");
  EXPECT_EQ(FormatDouble(0.0001), "0.0001");
  EXPECT_EQ(FormatDouble(1e-5), "1.0000000000000001e-05");
  EXPECT_EQ(FormatDouble(123456789012345678.0), "1.2345678901234568e+17");
  EXPECT_EQ(FormatDouble(99999999999999999.0), "1e+17");
  EXPECT_EQ(FormatDouble(1e20), "1e+20");
  EXPECT_EQ(FormatDouble(4e-320), "3.999955468730732e-320");
  EXPECT_EQ(FormatDouble(5e-324), "4.9406564584124654e-324");
}

TEST(FormatDoubleTest, PrintsIntegersPlain) {
  EXPECT_EQ(FormatDouble(3.0), "3");
  EXPECT_EQ(FormatDouble(-42.0), "-42");
  EXPECT_EQ(FormatDouble(9007199254740991.0), "9007199254740991");
  EXPECT_EQ(FormatDouble(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(FormatDouble(1e16), "10000000000000000");
}

TEST(FormatDoubleTest, KeepsTheSignOfZeroAndNamesTheRest) {
  EXPECT_EQ(FormatDouble(0.0), "0");
  EXPECT_EQ(FormatDouble(-0.0), "-0");
  EXPECT_EQ(FormatDouble(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(FormatDouble(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(FormatDouble(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(FormatDouble(-std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(FormatDoubleTest, FitsItsBuffer) {
  for (double value : {-std::numeric_limits<double>::min(), -1.2345678901234567e-300,
                       std::numeric_limits<double>::lowest(), -0.00012345678901234567}) {
    EXPECT_LE(FormatDouble(value).size(), kMaxDoubleLength);
    EXPECT_EQ(ParseDouble(FormatDouble(value)), value);
  }
}

TEST(FormatIntegerTest, PrintsTheWholeRange) {
  auto format = [](int64_t value) {
    char out[21];
    return std::string(out, FormatInteger(value, out));
  };
  for (int64_t value : {int64_t{0}, int64_t{9}, int64_t{10}, int64_t{-1}, kMin, kMax}) {
    EXPECT_EQ(format(value), std::to_string(value));
  }
}

}  // namespace
}  // namespace cloakroom
