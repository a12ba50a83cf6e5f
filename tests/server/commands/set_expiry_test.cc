#include <string>

#include "storage/access/lookup.h"
#include "storage/values/set.h"
#include "tests/server/support/key_event_log.h"
#include "tests/server/support/persistence_fixture.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kWrongTypeReply[] =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class SetExpiryTest : public ServerTest {
 protected:
  void SetUp() override { ASSERT_EQ(Run("SADD t a b"), ":2\r\n"); }
  std::string In(int64_t ms) const { return std::to_string(now_ms() + ms); }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(SetExpiryTest, AMemberIsGoneWhenItsTimeHasCome) {
  EXPECT_EQ(Run("SEXPIRE t 10 MEMBERS 1 a"), "*1\r\n:1\r\n");
  Advance(9'999);
  EXPECT_EQ(Run("SISMEMBER t a"), ":1\r\n");
  Advance(1);
  EXPECT_EQ(Run("SISMEMBER t a"), ":0\r\n");
  EXPECT_EQ(Run("SMISMEMBER t a b"), "*2\r\n:0\r\n:1\r\n");
  EXPECT_EQ(Run("SCARD t"), ":1\r\n");
  EXPECT_EQ(Run("SMEMBERS t"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SSCAN t 0"), "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SRANDMEMBER t 5"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SRANDMEMBER t -2"), "*2\r\n$1\r\nb\r\n$1\r\nb\r\n");
}

TEST_F(SetExpiryTest, EachMemberIsAnsweredInItsPlace) {
  EXPECT_EQ(Run("SPEXPIRE t 500 MEMBERS 3 a x b"), "*3\r\n:1\r\n:-2\r\n:1\r\n");
  EXPECT_EQ(Run("SPEXPIRE absent 500 MEMBERS 2 a b"), "*2\r\n:-2\r\n:-2\r\n");
  EXPECT_EQ(Run("STTL absent MEMBERS 1 a"), "*1\r\n:-2\r\n");
}

TEST_F(SetExpiryTest, ATimeThatHasPassedRemovesTheMember) {
  events_.Take();
  EXPECT_EQ(Run("SEXPIREAT t 1 MEMBERS 1 a"), "*1\r\n:2\r\n");
  EXPECT_EQ(Run("SPEXPIRE t 0 MEMBERS 1 b"), "*1\r\n:2\r\n");
  EXPECT_EQ(events_.Take(), "srem t; srem t; del t; ");
  EXPECT_EQ(server_.keyspace().db(0).size(), 0u);
}

TEST_F(SetExpiryTest, ConditionsLookAtTheExpiryThatIsThere) {
  EXPECT_EQ(Run("SPEXPIRE t 500 XX MEMBERS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("SPEXPIRE t 500 NX MEMBERS 1 a"), "*1\r\n:1\r\n");
  EXPECT_EQ(Run("SPEXPIRE t 500 GT MEMBERS 1 a"), "*1\r\n:0\r\n");
  EXPECT_EQ(Run("SPEXPIRE t 400 LT MEMBERS 2 a b"), "*2\r\n:1\r\n:1\r\n");
  EXPECT_EQ(Run("SPTTL t MEMBERS 2 a b"), "*2\r\n:400\r\n:400\r\n");
}

TEST_F(SetExpiryTest, TimesAreToldRoundedUpToSeconds) {
  Run({"SPEXPIREAT", "t", In(1'001), "MEMBERS", "1", "a"});
  EXPECT_EQ(Run("STTL t MEMBERS 3 a b x"), "*3\r\n:2\r\n:-1\r\n:-2\r\n");
  EXPECT_EQ(Run("SPTTL t MEMBERS 1 a"), "*1\r\n:1001\r\n");
  EXPECT_EQ(Run("SEXPIRETIME t MEMBERS 1 a"), "*1\r\n:1800000002\r\n");
  EXPECT_EQ(Run("SPEXPIRETIME t MEMBERS 1 a"), "*1\r\n:1800000001001\r\n");
}

TEST_F(SetExpiryTest, SPersistKeepsTheMember) {
  Run("SEXPIRE t 10 MEMBERS 1 a");
  events_.Take();
  EXPECT_EQ(Run("SPERSIST t MEMBERS 3 a b x"), "*3\r\n:1\r\n:-1\r\n:-2\r\n");
  EXPECT_EQ(events_.Take(), "spersist t; ");
  Advance(20'000);
  EXPECT_EQ(Run("SCARD t"), ":2\r\n");
}

TEST_F(SetExpiryTest, SAddKeepsTheExpiryOfALiveMemberAndForgetsThatOfAnExpiredOne) {
  Run("SEXPIRE t 10 MEMBERS 1 a");
  EXPECT_EQ(Run("SADD t a"), ":0\r\n");
  EXPECT_EQ(Run("STTL t MEMBERS 1 a"), "*1\r\n:10\r\n");
  Advance(10'000);
  EXPECT_EQ(Run("SADD t a"), ":1\r\n");
  EXPECT_EQ(Run("STTL t MEMBERS 1 a"), "*1\r\n:-1\r\n");
}

TEST_F(SetExpiryTest, AnExpiredMemberCannotBeRemovedOrMoved) {
  Run("SPEXPIRE t 5 MEMBERS 1 a");
  Advance(5);
  EXPECT_EQ(Run("SMOVE t u a"), ":0\r\n");
  EXPECT_EQ(Run("SREM t a"), ":0\r\n");
  EXPECT_EQ(Run("SREM t b"), ":1\r\n");
  EXPECT_EQ(Run("EXISTS t u"), ":0\r\n");
}

TEST_F(SetExpiryTest, AMovedMemberDoesNotExpire) {
  Run("SEXPIRE t 10 MEMBERS 1 a");
  EXPECT_EQ(Run("SMOVE t u a"), ":1\r\n");
  EXPECT_EQ(Run("STTL u MEMBERS 1 a"), "*1\r\n:-1\r\n");
}

TEST_F(SetExpiryTest, ASetOfIntegersMayHaveThem) {
  Run("SADD i 1 2 3");
  EXPECT_EQ(Run("OBJECT ENCODING i"), "$6\r\nintset\r\n");
  EXPECT_EQ(Run("STTL i MEMBERS 2 1 9"), "*2\r\n:-1\r\n:-2\r\n");
  EXPECT_EQ(Run("SPEXPIRE i 5 MEMBERS 1 2"), "*1\r\n:1\r\n");
  EXPECT_EQ(Run("OBJECT ENCODING i"), "$8\r\nlistpack\r\n");
  Advance(5);
  EXPECT_EQ(Run("SMEMBERS i"), "*2\r\n$1\r\n1\r\n$1\r\n3\r\n");
}

TEST_F(SetExpiryTest, SPopLeavesOutWhatHasExpired) {
  Run("SPEXPIRE t 5 MEMBERS 1 a");
  Advance(5);
  EXPECT_EQ(Run("SPOP t 5"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("EXISTS t"), ":0\r\n");
  EXPECT_EQ(Run("SPOP t"), "$-1\r\n");
}

TEST_F(SetExpiryTest, CombinationsLeaveOutWhatHasExpired) {
  Run("SADD u a b c");
  Run("SPEXPIRE t 5 MEMBERS 1 a");
  Run("SPEXPIRE u 50 MEMBERS 1 b");
  Advance(5);
  EXPECT_EQ(Run("SINTER t u"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SINTERCARD 2 t u"), ":1\r\n");
  EXPECT_EQ(Run("SDIFF u t"), "*2\r\n$1\r\na\r\n$1\r\nc\r\n");
  EXPECT_EQ(Run("SUNION t"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SUNIONSTORE all t u"), ":3\r\n");
  EXPECT_EQ(Run("STTL all MEMBERS 1 b"), "*1\r\n:-1\r\n");
}

TEST_F(SetExpiryTest, SortedSetsAndSortLeaveOutWhatHasExpired) {
  Run("ZADD z 5 a 7 b");
  Run("SPEXPIRE t 5 MEMBERS 1 a");
  Advance(5);
  EXPECT_EQ(Run("ZINTER 2 z t"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("SORT t ALPHA"), "*1\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("ZUNIONSTORE u 2 t t"), ":1\r\n");
  EXPECT_EQ(Run("SORT t ALPHA STORE l"), ":1\r\n");
}

TEST_F(SetExpiryTest, ACopyKeepsTheExpiries) {
  Run("SEXPIRE t 10 MEMBERS 1 a");
  EXPECT_EQ(Run("COPY t u"), ":1\r\n");
  EXPECT_EQ(Run("STTL u MEMBERS 2 a b"), "*2\r\n:10\r\n:-1\r\n");
}

TEST_F(SetExpiryTest, ALargeSetHidesWhatHasExpired) {
  for (int i = 0; i < 1'000; ++i) Run("SADD big m" + std::to_string(i));
  for (int i = 0; i < 900; ++i) Run("SPEXPIRE big 5 MEMBERS 1 m" + std::to_string(i));
  Advance(5);
  EXPECT_EQ(Run("SCARD big"), ":100\r\n");
  const std::string drawn = Run("SRANDMEMBER big 20");
  EXPECT_EQ(drawn.substr(0, 5), "*20\r\n");
  EXPECT_EQ(drawn.find("\r\nm1\r\n"), std::string::npos);
  EXPECT_EQ(Run("SRANDMEMBER big 500").substr(0, 6), "*100\r\n");
}

TEST_F(SetExpiryTest, ArgumentsAreCheckedLikeHExpires) {
  Run("SET s v");
  EXPECT_EQ(Run("SEXPIRE s x MEMBERS 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("STTL s MEMBERS 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("SPERSIST s MEMBERS 1 a"), kWrongTypeReply);
  EXPECT_EQ(Run("SEXPIRE t x MEMBERS 1 a"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("SEXPIRE t -1 MEMBERS 1 a"), "-ERR invalid expire time, must be >= 0\r\n");
  EXPECT_EQ(Run("SEXPIRE t 1 FIELDS 1 a"),
            "-ERR Mandatory argument MEMBERS is missing or not at the right position\r\n");
  EXPECT_EQ(Run("SEXPIRE t 1 MEMBERS 0 a"),
            "-ERR Parameter `numMembers` should be greater than 0\r\n");
  EXPECT_EQ(Run("SEXPIRE t 1 MEMBERS 2 a"),
            "-ERR The `nummembers` parameter must match the number of arguments\r\n");
  EXPECT_EQ(Run("STTL t MEMBERS 0 a"), "-ERR Number of members must be a positive integer\r\n");
  EXPECT_EQ(Run("STTL t MEMBERS a"), "-ERR wrong number of arguments for 'sttl' command\r\n");
}

class SetExpiryOnDiskTest : public JournalledTest {
 protected:
  void SetUp() override {
    Run("SADD t a b c");
    Run("SADD i 1 2");
    Run("EXPIRE t 1000");
    Run("SPEXPIRE t 5000 MEMBERS 1 a");
    Run("SPEXPIRE t 7 MEMBERS 1 c");
    Run("SPEXPIRE i 6000 MEMBERS 1 2");
  }
  /// A server on what the disk holds now knows when each member expires.
  void ExpectExpiriesInNextLife() {
    Life next(clock_, files_, {"--appendonly", "yes"});
    ASSERT_OK(next.loaded());
    const cloakroom::Set set(ValueOf(next, "t"), now_ms());
    EXPECT_EQ(set.MemberExpiry("a"), now_ms() + 5000);
    EXPECT_EQ(set.MemberExpiry("b"), kNever);
    EXPECT_EQ(cloakroom::Set(ValueOf(next, "i")).MemberExpiry("2"), now_ms() + 6000);
  }

 private:
  static ValueView ValueOf(Life& life, std::string_view key) {
    Database& db = life.server().keyspace().db(0);
    const KeyHash hash = KeyHash::Of(key);
    Hold hold(life.server().keyspace().background_slot());
    hold.WaitForKey(db, hash);
    return PeekKey(hold, db, key, hash, kNothingExpiresMs)->value();
  }
};

TEST_F(SetExpiryOnDiskTest, TheLogKeepsThem) {
  FlushLog();
  ExpectExpiriesInNextLife();
}

TEST_F(SetExpiryOnDiskTest, ARewrittenLogKeepsThem) {
  Run("BGREWRITEAOF");
  Settle();
  FlushLog();
  ExpectExpiriesInNextLife();
  Run("CONFIG SET aof-use-rdb-preamble no");
  Run("BGREWRITEAOF");
  Settle();
  FlushLog();
  ExpectExpiriesInNextLife();
}

TEST_F(SetExpiryOnDiskTest, AMemberThatComesBackHasNoExpiryInTheLog) {
  Advance(10);
  EXPECT_EQ(Run("SADD t c"), ":1\r\n");
  EXPECT_EQ(Run("SUNIONSTORE u t"), ":3\r\n");
  FlushLog();
  Life next(clock_, files_, {"--appendonly", "yes"});
  ASSERT_OK(next.loaded());
  EXPECT_EQ(next.keys(), 3u);
  Advance(1'000);
  Hold hold(next.server().keyspace().background_slot());
  Database& db = next.server().keyspace().db(0);
  const KeyHash hash = KeyHash::Of("t");
  hold.WaitForKey(db, hash);
  const Entry* entry = PeekKey(hold, db, "t", hash, now_ms());
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(cloakroom::Set(entry->value(), now_ms()).MemberExpiry("c"), kNever);
}

}  // namespace
}  // namespace cloakroom
