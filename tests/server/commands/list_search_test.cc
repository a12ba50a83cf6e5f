#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class ListSearchTest : public ServerTest {
 protected:
  void SetUp() override { Run("RPUSH l a b c 1 2 3 c c"); }
};

TEST_F(ListSearchTest, TheFirstMatchIsReplied) {
  EXPECT_EQ(Run("LPOS l c"), ":2\r\n");
  EXPECT_EQ(Run("LPOS l 2"), ":4\r\n");
  EXPECT_EQ(Run("LPOS l x"), "$-1\r\n");
  EXPECT_EQ(Run("LPOS absent x"), "$-1\r\n");
}

TEST_F(ListSearchTest, RankSkipsMatchesFromEitherEnd) {
  EXPECT_EQ(Run("LPOS l c RANK 2"), ":6\r\n");
  EXPECT_EQ(Run("LPOS l c RANK -1"), ":7\r\n");
  EXPECT_EQ(Run("LPOS l c RANK -3"), ":2\r\n");
  EXPECT_EQ(Run("LPOS l c RANK 4"), "$-1\r\n");
}

TEST_F(ListSearchTest, CountRepliesAnArray) {
  EXPECT_EQ(Run("LPOS l c COUNT 2"), "*2\r\n:2\r\n:6\r\n");
  EXPECT_EQ(Run("LPOS l c COUNT 0 RANK -2"), "*2\r\n:6\r\n:2\r\n");
  EXPECT_EQ(Run("LPOS absent c COUNT 0"), "*0\r\n");
}

TEST_F(ListSearchTest, MaxlenLimitsTheComparisons) {
  EXPECT_EQ(Run("LPOS l c MAXLEN 2"), "$-1\r\n");
  EXPECT_EQ(Run("LPOS l c MAXLEN 3"), ":2\r\n");
  EXPECT_EQ(Run("LPOS l c MAXLEN 2 RANK -1 COUNT 5"), "*2\r\n:7\r\n:6\r\n");
}

TEST_F(ListSearchTest, OptionsAreCheckedBeforeTheKey) {
  EXPECT_EQ(Run("LPOS absent c COUNT -1"), "-ERR COUNT can't be negative\r\n");
  EXPECT_EQ(Run("LPOS absent c MAXLEN x"), "-ERR MAXLEN can't be negative\r\n");
  EXPECT_EQ(Run("LPOS absent c RANK"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("LPOS absent c RANK -9223372036854775808"),
            "-ERR value is out of range, value must between -9223372036854775807 and "
            "9223372036854775807\r\n");
  EXPECT_TRUE(Run("LPOS absent c RANK 0").starts_with("-ERR RANK can't be zero: use 1 to start"));
}

}  // namespace
}  // namespace cloakroom
