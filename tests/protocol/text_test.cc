#include "protocol/text.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(EqualsIgnoreCaseTest, LettersCompareWithoutCase) {
  EXPECT_TRUE(EqualsIgnoreCase("GeT", "gEt"));
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
}

TEST(EqualsIgnoreCaseTest, LengthAndOtherBytesCount) {
  EXPECT_FALSE(EqualsIgnoreCase("get", "gets"));
  EXPECT_FALSE(EqualsIgnoreCase("gets", "get"));
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));
}

TEST(ConcatTest, KeepsOrderAndEveryByte) {
  EXPECT_EQ(Concat({"a", "", std::string_view("\0b", 2), "c"}), std::string("a\0bc", 4));
  EXPECT_EQ(Concat({}), "");
}

}  // namespace
}  // namespace cloakroom
