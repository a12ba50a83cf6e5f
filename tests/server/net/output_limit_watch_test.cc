#include "server/net/output_limit_watch.h"

#include <gtest/gtest.h>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class OutputLimitWatchTest : public testing::Test {
 protected:
  void Limit(int64_t hard, int64_t soft, int64_t seconds) {
    limit_.hard_bytes.Set(hard);
    limit_.soft_bytes.Set(soft);
    limit_.soft_seconds.Set(seconds);
  }
  bool Over(int64_t bytes) { return watch_.Over(limit_, bytes, clock_); }

  TestClock clock_;
  OutputLimit limit_;
  OutputLimitWatch watch_;
};

TEST_F(OutputLimitWatchTest, TheHardLimitIsOneAtOnce) {
  Limit(100, 0, 0);
  EXPECT_FALSE(Over(99));
  EXPECT_TRUE(Over(100));
}

TEST_F(OutputLimitWatchTest, TheSoftLimitIsOneAfterItsTimeWithoutABreak) {
  Limit(0, 10, 5);
  EXPECT_FALSE(Over(10));
  clock_.now_ms += 5000;
  EXPECT_FALSE(Over(1000)) << "exactly so long";
  clock_.now_ms += 1;
  EXPECT_TRUE(Over(10));
  EXPECT_FALSE(Over(9));
  EXPECT_FALSE(Over(10)) << "it begins anew";
  watch_.Forget();
  clock_.now_ms += 6000;
  EXPECT_FALSE(Over(10));
}

TEST_F(OutputLimitWatchTest, NoLimitIsNeverPassed) { EXPECT_FALSE(Over(INT64_MAX)); }

}  // namespace
}  // namespace cloakroom
