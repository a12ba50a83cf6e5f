#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class MemoryTest : public ServerTest {
 protected:
  int64_t Usage(std::string line) {
    std::string reply = Run(line);
    EXPECT_EQ(reply[0], ':') << reply;
    return std::stoll(reply.substr(1));
  }
};

TEST_F(MemoryTest, UsageGrowsWithTheValue) {
  Run("SET small 1");
  Run({"SET", "large", std::string(100'000, 'x')});
  EXPECT_LT(Usage("MEMORY USAGE small"), 200);
  EXPECT_GT(Usage("MEMORY USAGE large"), 100'000);
  EXPECT_EQ(Run("MEMORY USAGE nosuch"), "$-1\r\n");
}

TEST_F(MemoryTest, AllSamplesOfALargeSetAgreeWithSomeOfThem) {
  for (int i = 0; i < 2000; ++i) Run({"SADD", "s", "member:" + std::to_string(i)});
  int64_t all = Usage("MEMORY USAGE s SAMPLES 0");
  EXPECT_GT(all, 20'000);
  EXPECT_NEAR(static_cast<double>(Usage("MEMORY USAGE s")), static_cast<double>(all), all / 2.0);
}

TEST_F(MemoryTest, UsageChecksItsOptionsBeforeTheKey) {
  EXPECT_EQ(Run("MEMORY USAGE nosuch SAMPLES"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("MEMORY USAGE nosuch SAMPLES x"),
            "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("MEMORY USAGE nosuch SAMPLES -1"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("MEMORY USAGE nosuch FOO 1"), "-ERR syntax error\r\n");
}

TEST_F(MemoryTest, StatsIsAMapWithTheDatabasesThatHaveKeys) {
  Run("HELLO 3");
  EXPECT_TRUE(Run("MEMORY STATS").starts_with("%27\r\n$14\r\npeak.allocated\r\n:"));
  Run("SET a 1");
  std::string stats = Run("MEMORY STATS");
  EXPECT_TRUE(stats.starts_with("%28\r\n"));
  EXPECT_NE(stats.find("$4\r\ndb.0\r\n%3\r\n"), stats.npos);
  EXPECT_NE(stats.find("keys.count\r\n:1\r\n"), stats.npos);
}

TEST_F(MemoryTest, PurgeDoctorAndMallocStatsAnswer) {
  EXPECT_EQ(Run("MEMORY PURGE"), "+OK\r\n");
  EXPECT_EQ(Run("MEMORY DOCTOR")[0], '$');
  EXPECT_EQ(Run("MEMORY MALLOC-STATS")[0], '$');
}

}  // namespace
}  // namespace cloakroom
