#include <memory>
#include <string>

#include "storage/access/string_store.h"
#include "tests/server/support/key_event_log.h"
#include "tests/server/support/scripted_peer.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

constexpr char kRestoreOfA[] = "RESTORE\r\n$1\r\na\r\n$1\r\n0\r\n";

class MigrateTest : public ServerTest {
 protected:
  /// Runs MIGRATE against a server that answers with these replies, and keeps what it was sent.
  std::string Migrated(const std::string& replies, std::vector<std::string> rest) {
    ScriptedPeer peer(replies);
    std::vector<std::string> words = {"MIGRATE", "127.0.0.1", peer.port()};
    words.insert(words.end(), rest.begin(), rest.end());
    const std::string reply = Run(words);
    sent_ = peer.Received();
    return reply;
  }
  bool Sent(std::string_view text) const { return sent_.find(text) != std::string::npos; }

  std::string sent_;
  KeyEventLog events_{server_.keyspace()};
};

TEST_F(MigrateTest, WithoutKeysThereIsNothingToDo) {
  EXPECT_EQ(Run("MIGRATE 127.0.0.1 1 absent 0 100"), "+NOKEY\r\n");
  EXPECT_EQ(Run({"MIGRATE", "127.0.0.1", "1", "", "0", "100", "KEYS", "a", "b"}), "+NOKEY\r\n");
}

TEST_F(MigrateTest, AMovedKeyIsGone) {
  Run("SET a v");
  events_.Take();
  EXPECT_EQ(Migrated("+OK\r\n+OK\r\n", {"a", "3", "60000"}), "+OK\r\n");
  EXPECT_EQ(Run("EXISTS a"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "del a; ");
  EXPECT_TRUE(Sent("SELECT\r\n$1\r\n3\r\n"));
  EXPECT_TRUE(Sent(kRestoreOfA));
  EXPECT_FALSE(Sent("REPLACE"));
  EXPECT_FALSE(Sent("AUTH"));
}

TEST_F(MigrateTest, ACopiedKeyStays) {
  Run("SET a v");
  EXPECT_EQ(Migrated("+OK\r\n+OK\r\n", {"a", "0", "60000", "COPY", "REPLACE"}), "+OK\r\n");
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
  EXPECT_TRUE(Sent("REPLACE"));
}

TEST_F(MigrateTest, TheTimeToLiveTravelsAlong) {
  Run("SET a v PX 5000");
  EXPECT_EQ(Migrated("+OK\r\n+OK\r\n", {"a", "0", "60000"}), "+OK\r\n");
  EXPECT_TRUE(Sent("RESTORE\r\n$1\r\na\r\n$4\r\n5000\r\n"));
}

TEST_F(MigrateTest, ManyKeysTravelTogether) {
  Run("MSET a 1 b 2 c 3");
  EXPECT_EQ(Migrated("+OK\r\n+OK\r\n-BUSYKEY there\r\n+OK\r\n",
                     {"", "0", "60000", "KEYS", "a", "absent", "b", "c"}),
            "-ERR Target instance replied with error: BUSYKEY there\r\n");
  EXPECT_EQ(Run("EXISTS a b c"), ":1\r\n");
  EXPECT_EQ(Run("GET b"), "$1\r\n2\r\n");
}

TEST_F(MigrateTest, CredentialsAreSentFirst) {
  Run("SET a v");
  EXPECT_EQ(Migrated("+OK\r\n+OK\r\n+OK\r\n", {"a", "0", "60000", "AUTH", "secret"}), "+OK\r\n");
  EXPECT_EQ(sent_.find("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"), 0u);
  Run("SET a v");
  EXPECT_EQ(Migrated("-WRONGPASS no\r\n-NOAUTH x\r\n-NOAUTH x\r\n",
                     {"a", "0", "60000", "AUTH2", "user", "secret"}),
            "-ERR Target instance replied with error: WRONGPASS no\r\n");
  EXPECT_EQ(sent_.find("*3\r\n$4\r\nAUTH\r\n$4\r\nuser\r\n$6\r\nsecret\r\n"), 0u);
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
}

TEST_F(MigrateTest, AWrongDatabaseKeepsTheKeys) {
  Run("SET a v");
  EXPECT_EQ(Migrated("-ERR DB index is out of range\r\n+OK\r\n", {"a", "99", "60000"}),
            "-ERR Target instance replied with error: ERR DB index is out of range\r\n");
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
}

TEST_F(MigrateTest, AServerThatDoesNotAnswerIsAnError) {
  Run("SET a v");
  std::string port;
  {
    ScriptedPeer peer("");
    port = peer.port();
  }
  EXPECT_EQ(Run({"MIGRATE", "127.0.0.1", port, "a", "0", "60000"}),
            "-IOERR error or timeout writing to target instance\r\n");
  for (const char* nowhere : {"-1", "18446744073709551616"}) {
    EXPECT_EQ(Run({"MIGRATE", "127.0.0.1", nowhere, "a", "0", "60000"}),
              "-IOERR error or timeout connecting to the client\r\n");
  }
  EXPECT_EQ(Run({"MIGRATE", "", port, "a", "0", "60000"}),
            "-IOERR error or timeout connecting to the client\r\n");
  // To Redis it is port 0, which refuses everybody.
  EXPECT_EQ(Run({"MIGRATE", "127.0.0.1", "no port", "a", "0", "60000"}),
            "-IOERR error or timeout writing to target instance\r\n");
  EXPECT_EQ(Migrated("+OK\r\n", {"a", "0", "20"}),
            "-IOERR error or timeout reading to target instance\r\n");
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
}

TEST_F(MigrateTest, AKeyThatChangedMeanwhileIsKept) {
  Run("MSET a v b w");
  ScriptedPeer peer("+OK\r\n+OK\r\n+OK\r\n", [&] {
    MemoryMeter::RegisterThread();
    Hold hold(server_.thread(1).slot);
    Database& db = server_.keyspace().db(0);
    hold.WaitForKey(db, KeyHash::Of("a"));
    WriteScope scope(hold, db, "a", KeyHash::Of("a"), now_ms());
    StoreString(scope, "newer", kNoExpiry);
    scope.Changed("set");
  });
  EXPECT_EQ(Run({"MIGRATE", "127.0.0.1", peer.port(), "", "0", "60000", "KEYS", "a", "b"}),
            "-ERR 1 keys were changed while they were sent, and were not removed here\r\n");
  EXPECT_EQ(Run("GET a"), "$5\r\nnewer\r\n");
  EXPECT_EQ(Run("EXISTS b"), ":0\r\n");
}

TEST_F(MigrateTest, WhoeverSpeaksAnotherLanguageHasNotTakenTheKey) {
  Run("SET a v");
  EXPECT_EQ(Migrated("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", {"a", "0", "60000"}),
            "-IOERR error or timeout reading to target instance\r\n");
  EXPECT_EQ(Run("EXISTS a"), ":1\r\n");
}

TEST_F(MigrateTest, OptionsAreCheckedInRedisOrder) {
  EXPECT_EQ(Run("MIGRATE h 1 a 0 x BOGUS"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("MIGRATE h 1 a 0 x AUTH"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("MIGRATE h 1 a 0 x AUTH2 user"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("MIGRATE h 1 a 0 10 KEYS b"),
            "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty "
            "string\r\n");
  EXPECT_EQ(Run("MIGRATE h 1 a 0 x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Run("MIGRATE h 1 a x 10"), "-ERR value is not an integer or out of range\r\n");
}

}  // namespace
}  // namespace cloakroom
