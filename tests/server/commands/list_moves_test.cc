#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class ListMovesTest : public ServerTest {
 protected:
  KeyEventLog events_{server_.keyspace()};
};

TEST_F(ListMovesTest, AnElementMovesBetweenEnds) {
  Run("RPUSH l a b c");
  EXPECT_EQ(Run("LMOVE l k LEFT RIGHT"), "$1\r\na\r\n");
  EXPECT_EQ(Run("LMOVE l k RIGHT LEFT"), "$1\r\nc\r\n");
  EXPECT_EQ(Run("LRANGE k 0 -1"), "*2\r\n$1\r\nc\r\n$1\r\na\r\n");
  EXPECT_EQ(Run("RPOPLPUSH absent k"), "$-1\r\n");
  EXPECT_EQ(Run("LMOVE l k UP LEFT"), "-ERR syntax error\r\n");
}

TEST_F(ListMovesTest, ThePushIsToldFirst) {
  Run("RPUSH l a b");
  events_.Take();
  Run("LMOVE l k LEFT RIGHT");
  Run("RPOPLPUSH l k");
  Run("RPOPLPUSH k k");
  EXPECT_EQ(events_.Take(), "rpush k; lpop l; lpush k; rpop l; del l; lpush k; rpop k; ");
}

TEST_F(ListMovesTest, AListThatTurnsKeepsItsExpiry) {
  Run("RPUSH l a");
  Run("EXPIRE l 100");
  EXPECT_EQ(Run("RPOPLPUSH l l"), "$1\r\na\r\n");
  EXPECT_EQ(Run("TTL l"), ":100\r\n");
  Run("RPUSH l b");
  EXPECT_EQ(Run("LMOVE l l LEFT RIGHT"), "$1\r\na\r\n");
  EXPECT_EQ(Run("LRANGE l 0 -1"), "*2\r\n$1\r\nb\r\n$1\r\na\r\n");
}

TEST_F(ListMovesTest, AnotherTypeAtEitherSideChangesNothing) {
  Run("RPUSH l a");
  Run("SET s v");
  events_.Take();
  EXPECT_EQ(Run("LMOVE l s LEFT LEFT"), kWrongTypeReply);
  EXPECT_EQ(Run("LMOVE s l LEFT LEFT"), kWrongTypeReply);
  EXPECT_EQ(events_.Take(), "");
  EXPECT_EQ(Run("LLEN l"), ":1\r\n");
}

TEST_F(ListMovesTest, TheFirstListThatIsThereIsPopped) {
  Run("RPUSH l a b c");
  events_.Take();
  EXPECT_EQ(Run("LMPOP 2 absent l RIGHT COUNT 2"), "*2\r\n$1\r\nl\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("LMPOP 2 absent l LEFT"), "*2\r\n$1\r\nl\r\n*1\r\n$1\r\na\r\n");
  EXPECT_EQ(Run("LMPOP 2 absent l LEFT"), "*-1\r\n");
  EXPECT_EQ(events_.Take(), "rpop l; lpop l; del l; ");
}

TEST_F(ListMovesTest, LMPopChecksItsArguments) {
  EXPECT_EQ(Run("LMPOP 0 l LEFT"), "-ERR numkeys should be greater than 0\r\n");
  EXPECT_EQ(Run("LMPOP 2 l LEFT"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("LMPOP 1 l UP"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("LMPOP 1 l LEFT COUNT 0"), "-ERR count should be greater than 0\r\n");
  EXPECT_EQ(Run("LMPOP 1 l LEFT COUNT 1 COUNT 1"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("LMPOP 9223372036854775807 l LEFT"), "-ERR syntax error\r\n");
}

}  // namespace
}  // namespace cloakroom
