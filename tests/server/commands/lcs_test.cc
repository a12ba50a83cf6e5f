#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "server/commands/support/common_subsequence.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class LcsTest : public ServerTest {
 protected:
  LcsTest() {
    Run("SET a ohmytext");
    Run("SET b mynewtext");
  }
};

TEST_F(LcsTest, RepliesTextLengthOrRuns) {
  EXPECT_EQ(Run("LCS a b"), "$6\r\nmytext\r\n");
  EXPECT_EQ(Run("LCS a b LEN"), ":6\r\n");
  EXPECT_EQ(Run("LCS a b IDX"),
            "*4\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n"
            "*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$3\r\nlen\r\n:6\r\n");
}

TEST_F(LcsTest, ShortRunsAreLeftOutButCount) {
  EXPECT_EQ(Run("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN"),
            "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n"
            "$3\r\nlen\r\n:6\r\n");
  EXPECT_EQ(Run("LCS a b IDX MINMATCHLEN 9223372036854775807"),
            "*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:6\r\n");
  EXPECT_EQ(Run("LCS a b IDX MINMATCHLEN -5"), Run("LCS a b IDX"));
}

TEST_F(LcsTest, RunsAreAMapInResp3) {
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("LCS a none IDX"), "%2\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n");
}

TEST_F(LcsTest, MissingKeysAreEmpty) {
  EXPECT_EQ(Run("LCS a none"), "$0\r\n\r\n");
  EXPECT_EQ(Run("LCS none a LEN"), ":0\r\n");
}

TEST_F(LcsTest, RefusesOtherTypesAndOptions) {
  Run("HSET h f v");
  EXPECT_EQ(Run("LCS a h FOO"), "-ERR The specified keys must contain string values\r\n");
  EXPECT_EQ(Run("LCS a b FOO"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("LCS a b MINMATCHLEN"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("LCS a b MINMATCHLEN x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("LCS a b LEN IDX"),
            "-ERR If you want both the length and indexes, please just use IDX.\r\n");
  Run("SETRANGE big 20000 x");
  EXPECT_EQ(Run("LCS big big"),
            "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n");
}

TEST_F(LcsTest, LongStringsAreComparedOutsideTheLoopAsTheyWere) {
  Run({"SET", "x", std::string(3000, 'x')});
  Run({"SET", "y", std::string(2000, 'x') + std::string(1000, 'y')});
  EXPECT_EQ(Run("LCS x y LEN"), ":2000\r\n");
  Run("MULTI");
  Run("LCS x y LEN");
  EXPECT_EQ(Run("EXEC"), "*1\r\n:2000\r\n");
}

size_t SlowLength(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return 0;
  std::string a_rest = a.substr(1);
  std::string b_rest = b.substr(1);
  if (a[0] == b[0]) return 1 + SlowLength(a_rest, b_rest);
  return std::max(SlowLength(a_rest, b), SlowLength(a, b_rest));
}

TEST(CommonSubsequence, AgreesWithExhaustiveSearch) {
  std::mt19937 random(7);
  auto text = [&] {
    std::string letters(random() % 9, ' ');
    for (char& c : letters) c = static_cast<char>('a' + random() % 3);
    return letters;
  };
  for (int i = 0; i < 500; ++i) {
    const std::string a = text();
    const std::string b = text();
    const size_t length = SlowLength(a, b);
    EXPECT_EQ(CommonLength(a, b), length) << a << " " << b;
    std::vector<CommonRun> runs = CommonRuns(a, b);
    const std::string common = CommonText(a, runs);
    EXPECT_EQ(common.size(), length) << a << " " << b;
    for (const CommonRun& run : runs)
      EXPECT_EQ(a.substr(run.a, run.size), b.substr(run.b, run.size));
    for (size_t r = 1; r < runs.size(); ++r) {
      EXPECT_LE(runs[r].a + runs[r].size, runs[r - 1].a);
      EXPECT_LE(runs[r].b + runs[r].size, runs[r - 1].b);
    }
  }
}

}  // namespace
}  // namespace cloakroom
