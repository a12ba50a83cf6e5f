#include "clients/drill/amounts.h"

#include <gtest/gtest.h>

#include <limits>

namespace cloakroom::drill {
namespace {

TEST(AmountsTest, BytesHaveAUnitThatFits) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1536), "1.5 KB");
  EXPECT_EQ(BytesText(64.0 * 1024 * 1024), "64 MB");
  EXPECT_EQ(BytesText(5e12), "4657 GB");
}

TEST(AmountsTest, SecondsHaveAUnitThatFits) {
  EXPECT_EQ(SecondsText(0.254), "0.25 s");
  EXPECT_EQ(SecondsText(38), "38 s");
  EXPECT_EQ(SecondsText(720), "12 min");
  EXPECT_EQ(SecondsText(18'000), "5 h");
  EXPECT_EQ(SecondsText(std::numeric_limits<double>::infinity()), "more than a day");
}

TEST(AmountsTest, CountsAreSingularAtOne) {
  EXPECT_EQ(CountText(1, "replica"), "1 replica");
  EXPECT_EQ(CountText(0, "replica"), "0 replicas");
}

}  // namespace
}  // namespace cloakroom::drill
