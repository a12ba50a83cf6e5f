#include <algorithm>
#include <set>
#include <string>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// The bulk strings of a reply, after its first header.
std::multiset<std::string> Members(const std::string& reply) {
  std::multiset<std::string> members;
  for (size_t at = reply.find("\r\n$"); at != std::string::npos;) {
    size_t length = std::stoul(reply.substr(at + 3));
    size_t start = reply.find("\r\n", at + 3) + 2;
    members.insert(reply.substr(start, length));
    at = reply.compare(start + length, 3, "\r\n$") == 0 ? start + length : std::string::npos;
  }
  return members;
}

class SetsTest : public ServerTest {
 protected:
  void SetUp() override { ASSERT_EQ(Run("SADD s a b c"), ":3\r\n"); }

  /// Adds m0, m1 … to a set.
  void Fill(const std::string& key, int members) {
    std::vector<std::string> args = {"SADD", key};
    for (int i = 0; i < members; ++i) args.push_back("m" + std::to_string(i));
    Run(args);
  }
  size_t keys() { return server_.keyspace().db(0).size(); }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(SetsTest, SAddCountsOnlyNewMembers) {
  EXPECT_EQ(Run("SADD s a d d"), ":1\r\n");
  EXPECT_EQ(Run("SCARD s"), ":4\r\n");
}

TEST_F(SetsTest, EveryCommandRefusesAHash) {
  Run("HSET h a 1");
  for (const char* line : {"SADD h a", "SREM h a", "SCARD h", "SISMEMBER h a", "SMISMEMBER h a",
                           "SMEMBERS h", "SRANDMEMBER h", "SRANDMEMBER h 1", "SPOP h", "SPOP h 0",
                           "SMOVE h s a", "SMOVE s h a", "SSCAN h 0 FOO"}) {
    EXPECT_EQ(Run(line), kWrongTypeReply) << line;
  }
}

TEST_F(SetsTest, AChangeIsToldOnce) {
  events_.Take();
  Run("SADD s a d e");
  Run("SADD s a");
  Run("SREM s d x");
  Run("SREM s x");
  EXPECT_EQ(events_.Take(), "sadd s; srem s; ");
}

TEST_F(SetsTest, SRemOfTheLastMemberRemovesTheKey) {
  events_.Take();
  EXPECT_EQ(Run("SREM s a b c d"), ":3\r\n");
  EXPECT_EQ(keys(), 0u);
  EXPECT_EQ(events_.Take(), "srem s; del s; ");
  EXPECT_EQ(Run("SREM s a"), ":0\r\n");
}

TEST_F(SetsTest, MembershipIsAskedOneByOneOrTogether) {
  EXPECT_EQ(Run("SISMEMBER s a"), ":1\r\n");
  EXPECT_EQ(Run("SISMEMBER s x"), ":0\r\n");
  EXPECT_EQ(Run("SMISMEMBER s a x c"), "*3\r\n:1\r\n:0\r\n:1\r\n");
  EXPECT_EQ(Run("SMISMEMBER absent a b"), "*2\r\n:0\r\n:0\r\n");
}

TEST_F(SetsTest, SMembersIsASetInResp3) {
  EXPECT_EQ(Run("SMEMBERS s"), "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Run("SMEMBERS absent"), "*0\r\n");
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("SMEMBERS s"), "~3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Run("SMEMBERS absent"), "~0\r\n");
}

TEST_F(SetsTest, ASetOfManyMembersComesWhole) {
  Fill("big", 25'000);
  EXPECT_EQ(Members(Run("SMEMBERS big")).size(), 25'000u);
  Run("MULTI");
  Run("SMEMBERS big");
  EXPECT_TRUE(Run("EXEC").starts_with("*1\r\n*25000\r\n"));
}

TEST_F(SetsTest, SPopReturnsAMemberAndRemovesIt) {
  events_.Take();
  std::string popped = Run("SPOP s");
  EXPECT_EQ(popped.substr(0, 4), "$1\r\n");
  EXPECT_EQ(Run("SISMEMBER s " + popped.substr(4, 1)), ":0\r\n");
  EXPECT_EQ(Run("SCARD s"), ":2\r\n");
  EXPECT_EQ(Run("SPOP absent"), "$-1\r\n");
  EXPECT_EQ(events_.Take(), "spop s; ");
}

TEST_F(SetsTest, SPopOfTheLastMemberRemovesTheKey) {
  Run("SREM s a b");
  events_.Take();
  EXPECT_EQ(Run("SPOP s"), "$1\r\nc\r\n");
  EXPECT_EQ(events_.Take(), "spop s; del s; ");
  EXPECT_EQ(keys(), 0u);
}

TEST_F(SetsTest, SPopWithCountReturnsDistinctMembers) {
  std::multiset<std::string> popped = Members(Run("SPOP s 2"));
  EXPECT_EQ(popped.size(), 2u);
  popped.merge(Members(Run("SMEMBERS s")));
  EXPECT_EQ(popped, (std::multiset<std::string>{"a", "b", "c"}));
}

TEST_F(SetsTest, SPopOfAllRemovesTheKey) {
  events_.Take();
  EXPECT_EQ(Members(Run("SPOP s 100")).size(), 3u);
  EXPECT_EQ(events_.Take(), "spop s; del s; ");
  EXPECT_EQ(keys(), 0u);
  EXPECT_EQ(Run("SPOP s 1"), "*0\r\n");
}

TEST_F(SetsTest, SPopOfAllOfManyReturnsThemAll) {
  Fill("big", 25'000);
  EXPECT_EQ(Members(Run("SPOP big 99999")).size(), 25'000u);
  EXPECT_EQ(Run("SCARD big"), ":0\r\n");
}

TEST_F(SetsTest, SPopRefusesBadCounts) {
  EXPECT_EQ(Run("SPOP s x"), "-ERR value is out of range, must be positive\r\n");
  EXPECT_EQ(Run("SPOP s -1"), "-ERR value is out of range, must be positive\r\n");
  EXPECT_EQ(Run("SPOP s -1 2"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SPOP s 0"), "*0\r\n");
  EXPECT_EQ(Run("SCARD s"), ":3\r\n");
}

TEST_F(SetsTest, RandomRepliesHaveTheirResp3Types) {
  ClientNamed("").resp = 3;
  EXPECT_EQ(Run("SRANDMEMBER absent"), "_\r\n");
  EXPECT_EQ(Run("SRANDMEMBER absent 2"), "*0\r\n");
  EXPECT_EQ(Run("SRANDMEMBER s 5"), "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Run("SPOP absent"), "_\r\n");
  EXPECT_EQ(Run("SPOP absent 2"), "~0\r\n");
  EXPECT_EQ(Run("SPOP s 9"), "~3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
}

TEST_F(SetsTest, SRandMemberWithCountNeverRepeats) {
  Fill("big", 1000);
  for (int count : {1, 10, 499, 500, 999}) {
    std::multiset<std::string> drawn = Members(Run("SRANDMEMBER big " + std::to_string(count)));
    EXPECT_EQ(drawn.size(), static_cast<size_t>(count));
    EXPECT_EQ(std::set<std::string>(drawn.begin(), drawn.end()).size(), drawn.size());
  }
}

TEST_F(SetsTest, SRandMemberWithNegativeCountReturnsThatMany) {
  EXPECT_EQ(Members(Run("SRANDMEMBER s -100")).size(), 100u);
  EXPECT_EQ(Run("SCARD s"), ":3\r\n");
}

TEST_F(SetsTest, SRandMemberDrawsEveryMember) {
  std::set<std::string> drawn;
  for (int i = 0; i < 200; ++i) drawn.insert(Run("SRANDMEMBER s"));
  EXPECT_EQ(drawn.size(), 3u);
}

TEST_F(SetsTest, SRandMemberRefusesBadCounts) {
  EXPECT_EQ(Run("SRANDMEMBER s x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SRANDMEMBER s x 2"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SRANDMEMBER s -9223372036854775808"),
            "-ERR value is out of range, value must between -9223372036854775807 and "
            "9223372036854775807\r\n");
  EXPECT_EQ(Run("SRANDMEMBER s -9223372036854775807"), "-ERR value is out of range\r\n");
  EXPECT_EQ(Run("SRANDMEMBER s 0"), "*0\r\n");
}

TEST_F(SetsTest, SMoveTellsBothKeys) {
  Run("SADD t c");
  events_.Take();
  EXPECT_EQ(Run("SMOVE s t a"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "srem s; sadd t; ");
  EXPECT_EQ(Run("SMOVE s t c"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "srem s; ");
  EXPECT_EQ(Run("SMOVE s new b"), ":1\r\n");
  EXPECT_EQ(events_.Take(), "srem s; del s; sadd new; ");
  EXPECT_EQ(Run("SMEMBERS t"), "*2\r\n$1\r\nc\r\n$1\r\na\r\n");
}

TEST_F(SetsTest, SMoveOntoItselfOnlyLooks) {
  events_.Take();
  EXPECT_EQ(Run("SMOVE s s a"), ":1\r\n");
  EXPECT_EQ(Run("SMOVE s s x"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "");
}

TEST_F(SetsTest, SMoveFromNowhereIgnoresTheTarget) {
  Run("HSET h a 1");
  EXPECT_EQ(Run("SMOVE absent h a"), ":0\r\n");
  EXPECT_EQ(Run("SMOVE s new x"), ":0\r\n");
  EXPECT_EQ(keys(), 2u);
}

TEST_F(SetsTest, SScanOfASmallSetComesWholeWhateverTheCursor) {
  EXPECT_EQ(Run("SSCAN s 0"), "*2\r\n$1\r\n0\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Run("SSCAN s 77 MATCH [ab] COUNT 1"), "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SSCAN absent 0 FOO"), "*2\r\n$1\r\n0\r\n*0\r\n");
}

TEST_F(SetsTest, SScanTakesTheCursorsThatRedisTakes) {
  for (const char* cursor : {"-1", "+1", "18446744073709551615"}) {
    EXPECT_TRUE(Run({"SSCAN", "s", cursor}).starts_with("*2\r\n$1\r\n0\r\n*3\r\n")) << cursor;
  }
  EXPECT_TRUE(Run({"SSCAN", "s", ""}).starts_with("*2\r\n$1\r\n0\r\n*3\r\n"));
  for (const char* cursor : {" 1", "1x", "x", "-", "99999999999999999999"}) {
    EXPECT_EQ(Run({"SSCAN", "s", cursor}), "-ERR invalid cursor\r\n") << cursor;
  }
}

TEST_F(SetsTest, SScanRefusesTheOptionsOfOthers) {
  EXPECT_EQ(Run("SSCAN s 0 NOVALUES"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("SSCAN s 0 TYPE set"), "-ERR syntax error\r\n");
}

TEST_F(SetsTest, SScanOfASetThatIsRemovedFromFindsAllThatStays) {
  Fill("big", 5000);
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    std::string reply = Run("SSCAN big " + cursor + " COUNT 100");
    size_t at = reply.find("\r\n", 4) + 2;
    size_t end = reply.find("\r\n", at);
    cursor = reply.substr(at, end - at);
    for (const std::string& member : Members(reply.substr(end + 2))) {
      seen.insert(member);
      // As in garbage collection, every other member is removed as soon as it is seen.
      if (std::stoi(member.substr(1)) % 2 == 0) Run("SREM big " + member);
    }
  } while (cursor != "0");
  EXPECT_EQ(seen.size(), 5000u);
  EXPECT_EQ(Run("SCARD big"), ":2500\r\n");
}

TEST_F(SetsTest, SScanOfManyAtOnceComesFromACopy) {
  Fill("big", 30'000);
  std::string reply = Run("SSCAN big 0 COUNT 100000");
  EXPECT_TRUE(reply.starts_with("*2\r\n$1\r\n0\r\n*30000\r\n"));
}

}  // namespace
}  // namespace cloakroom
