#include <set>
#include <string>
#include <vector>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// The bulk strings of a reply, in order.
std::vector<std::string> Bulks(const std::string& reply) {
  std::vector<std::string> bulks;
  for (size_t at = reply.find('$'); at != std::string::npos && at < reply.size();) {
    size_t length = std::stoul(reply.substr(at + 1));
    size_t start = reply.find("\r\n", at) + 2;
    bulks.push_back(reply.substr(start, length));
    at = reply.find('$', start + length);
  }
  return bulks;
}

class ScanTest : public ServerTest {
 protected:
  void Fill(int keys) {
    for (int i = 0; i < keys; ++i) Run("SET key:" + std::to_string(i) + " v");
  }
  /// All steps of a SCAN with these options.
  std::vector<std::string> ScanAll(const std::string& options) {
    std::vector<std::string> keys;
    std::string cursor = "0";
    do {
      std::vector<std::string> step = Bulks(Run("SCAN " + cursor + " " + options));
      cursor = step[0];
      keys.insert(keys.end(), step.begin() + 1, step.end());
    } while (cursor != "0");
    return keys;
  }
};

TEST_F(ScanTest, KeysListsWhatMatches) {
  Run("MSET one 1 two 2 three 3");
  EXPECT_EQ(Run("KEYS o*"), "*1\r\n$3\r\none\r\n");
  EXPECT_EQ(Bulks(Run("KEYS *")).size(), 3u);
  EXPECT_EQ(Run("KEYS x"), "*0\r\n");
}

TEST_F(ScanTest, KeysLeavesOutWhatHasExpired) {
  Run("SET a v PX 5");
  Run("SET b v");
  Advance(5);
  EXPECT_EQ(Run("KEYS *"), "*1\r\n$1\r\nb\r\n");
}

TEST_F(ScanTest, KeysOfManyKeysNamesEachOnce) {
  Fill(5'000);
  std::vector<std::string> keys = Bulks(Run("KEYS key:*"));
  EXPECT_EQ(keys.size(), 5'000u);
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 5'000u);
}

TEST_F(ScanTest, KeysOfManyKeysWorksInsideATransaction) {
  Fill(2'000);
  Run("MULTI");
  Run("KEYS key:1");
  EXPECT_EQ(Run("EXEC"), "*1\r\n*1\r\n$5\r\nkey:1\r\n");
}

TEST_F(ScanTest, ScanInSmallStepsNamesEachKeyOnce) {
  Fill(3'000);
  std::vector<std::string> keys = ScanAll("COUNT 7");
  EXPECT_EQ(keys.size(), 3'000u);
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 3'000u);
}

TEST_F(ScanTest, ScanWithALargeCountComesInOneStep) {
  Fill(3'000);
  std::vector<std::string> step = Bulks(Run("SCAN 0 COUNT 1000000000000"));
  EXPECT_EQ(step[0], "0");
  EXPECT_EQ(step.size(), 3'001u);
}

TEST_F(ScanTest, ScanReturnsAboutCountKeys) {
  Fill(3'000);
  size_t keys = Bulks(Run("SCAN 0 COUNT 100")).size() - 1;
  EXPECT_GE(keys, 100u);
  EXPECT_LT(keys, 130u);
}

TEST_F(ScanTest, ScanSelectsByPatternAndType) {
  Run("MSET s1 1 s2 2");
  Run("HSET h1 f v");
  EXPECT_EQ(ScanAll("MATCH s1"), std::vector<std::string>{"s1"});
  EXPECT_EQ(ScanAll("TYPE HASH"), std::vector<std::string>{"h1"});
  EXPECT_EQ(ScanAll("TYPE string MATCH *2"), std::vector<std::string>{"s2"});
  EXPECT_TRUE(ScanAll("TYPE nonsense").empty());
}

TEST_F(ScanTest, ScanFindsWhatStaysWhileOthersComeAndGo) {
  Fill(2'000);
  std::set<std::string> seen;
  std::string cursor = "0";
  int round = 0;
  do {
    std::vector<std::string> step = Bulks(Run("SCAN " + cursor + " COUNT 20"));
    cursor = step[0];
    seen.insert(step.begin() + 1, step.end());
    for (int i = 0; i < 30; ++i) {
      std::string other = std::to_string(round / 20 * 30 + i);
      Run((round % 40 < 20 ? "SET other:" : "DEL other:") + other + " v");
    }
    ++round;
  } while (cursor != "0");
  for (int i = 0; i < 2'000; ++i) EXPECT_TRUE(seen.contains("key:" + std::to_string(i))) << i;
}

TEST_F(ScanTest, ScanRefusesBadArguments) {
  EXPECT_EQ(Run("SCAN x"), "-ERR invalid cursor\r\n");
  EXPECT_EQ(Run("SCAN 0 MATCH"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SCAN 0 COUNT 0"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SCAN 0 COUNT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SCAN 18446744073709551615"), "*2\r\n$1\r\n0\r\n*0\r\n");
}

TEST_F(ScanTest, RandomKeyNamesALiveKeyOfThisDatabase) {
  EXPECT_EQ(Run("RANDOMKEY"), "$-1\r\n");
  Run("SET k v");
  EXPECT_EQ(Run("RANDOMKEY"), "$1\r\nk\r\n");
  Run("SELECT 1");
  EXPECT_EQ(Run("RANDOMKEY"), "$-1\r\n");
}

TEST_F(ScanTest, RandomKeyReachesEveryKey) {
  Fill(20);
  std::set<std::string> seen;
  for (int i = 0; i < 2'000; ++i) seen.insert(Run("RANDOMKEY"));
  EXPECT_EQ(seen.size(), 20u);
}

}  // namespace
}  // namespace cloakroom
