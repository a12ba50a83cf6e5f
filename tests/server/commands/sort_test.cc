#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class SortTest : public ServerTest {
 protected:
  /// A list of numbers that is sorted on a worker.
  void PushMany(int count) {
    std::vector<std::string> push = {"RPUSH", "big"};
    for (int i = count; i-- > 0;) push.push_back(std::to_string(i));
    Run(push);
  }
};

TEST_F(SortTest, WhatIsStoredReplacesTheOldValue) {
  Run("RPUSH l 3 1 2");
  Run("SET d x");
  KeyEventLog events(server_.keyspace());
  EXPECT_EQ(Run("SORT l STORE d"), ":3\r\n");
  EXPECT_EQ(events.Take(), "sortstore d; ");
  EXPECT_EQ(Run("LRANGE d 0 -1"), "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  EXPECT_EQ(Run("SORT absent STORE d"), ":0\r\n");
  EXPECT_EQ(events.Take(), "del d; ");
}

TEST_F(SortTest, ALongListIsSortedOnAWorker) {
  PushMany(30'000);
  EXPECT_TRUE(Run("SORT big LIMIT 0 2").starts_with("*2\r\n$1\r\n0\r\n$1\r\n1\r\n"));
  EXPECT_EQ(Run("SORT big STORE d"), ":30000\r\n");
  EXPECT_EQ(Run("LINDEX d 29999"), "$5\r\n29999\r\n");
  Run("LSET big 0 x");
  EXPECT_TRUE(Run("SORT big").starts_with("-ERR One or more scores"));
  EXPECT_TRUE(Run("SORT big STORE d").starts_with("-ERR One or more scores"));
}

TEST_F(SortTest, AListThatChangesMeanwhileIsSortedAnew) {
  PushMany(30'000);
  int changes = 0;
  after_preparing_ = [&] {
    if (changes++ == 0) RunAs("other", "RPUSH big -5");
  };
  EXPECT_EQ(Run("SORT big STORE d"), ":30001\r\n");
  EXPECT_EQ(Run("LINDEX d 0"), "$2\r\n-5\r\n");
  EXPECT_EQ(changes, 2);
}

TEST_F(SortTest, PatternsReadOtherKeys) {
  Run("RPUSH l 1 2");
  Run("MSET w_1 9 w_2 8 v_1 one");
  Run("HSET h_2 f two");
  EXPECT_EQ(Run("SORT l BY w_* GET v_* GET h_*->f GET #"),
            "*6\r\n$-1\r\n$3\r\ntwo\r\n$1\r\n2\r\n$3\r\none\r\n$-1\r\n$1\r\n1\r\n");
  EXPECT_EQ(Run("SORT l BY w_* STORE a STORE b"), ":2\r\n");
  EXPECT_EQ(Run("EXISTS a b"), ":1\r\n");
  EXPECT_EQ(Run("SORT l GET v_* STORE d"), ":2\r\n");
  EXPECT_EQ(Run("LRANGE d 0 -1"), "*2\r\n$3\r\none\r\n$0\r\n\r\n");
}

TEST_F(SortTest, OnlyListsSetsAndSortedSetsAreSorted) {
  Run("SET k v");
  EXPECT_TRUE(Run("SORT k").starts_with("-WRONGTYPE"));
  Run("SADD s 2 1");
  EXPECT_EQ(Run("SORT_RO s DESC"), "*2\r\n$1\r\n2\r\n$1\r\n1\r\n");
  Run("ZADD z 2 a 1 b");
  EXPECT_EQ(Run("SORT z BY nosort"), "*2\r\n$1\r\nb\r\n$1\r\na\r\n");
  EXPECT_EQ(Run("SORT_RO s STORE d"), "-ERR syntax error\r\n");
}

}  // namespace
}  // namespace cloakroom
