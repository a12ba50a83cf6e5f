#include "server/net/primary_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/net/replication_thread.h"
#include "server/session/client_registry.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/loop_fixture.h"
#include "tests/server/support/scripted_peer.h"

namespace cloakroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// What a primary says to PING, two REPLCONFs and PSYNC, and the head of its data.
std::string FullSync(const std::string& head) {
  return "+PONG\r\n+OK\r\n+OK\r\n+FULLRESYNC " + std::string(40, 'a') + " 100\r\n" + head;
}
const std::string kEmptyRdb = "REDIS0009\xff" + std::string(8, '\0');
const std::string kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";

struct Disk {
  FaultyFiles files;
};

class PrimaryConnectionTest : private Disk, public LoopTest {
 protected:
  PrimaryConnectionTest() : LoopTest(Disk::files, {"--save", ""}), thread_(server_) {}

  void Follow(const ScriptedPeer& primary) { Run("REPLICAOF 127.0.0.1 " + primary.port()); }
  void AwaitOffset(int64_t offset) {
    AwaitThat([&] { return server_.replication().figures().offset == offset; }, "the offset");
  }

  ReplicationThread thread_;
};

TEST_F(PrimaryConnectionTest, LoadsThePrimarysDataAndFollowsItsStream) {
  ScriptedPeer primary(
      FullSync("$" + std::to_string(kEmptyRdb.size()) + "\r\n" + kEmptyRdb + kSet));
  Follow(primary);
  AwaitOffset(100 + static_cast<int64_t>(kSet.size()));
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  EXPECT_THAT(Run("ROLE"), HasSubstr("$9\r\nconnected\r\n"));
  EXPECT_THAT(Run("INFO replication"), HasSubstr("master_link_status:up\r\n"));
  EXPECT_THAT(Run("CLIENT LIST TYPE master"), HasSubstr(" flags=M "));
  Run("REPLICAOF NO ONE");
  EXPECT_THAT(primary.Received(),
              AllOf(StartsWith("*1\r\n$4\r\nPING\r\n*3\r\n$8\r\nREPLCONF\r\n$14\r\nlistening-port"),
                    HasSubstr("$5\r\nPSYNC\r\n"), HasSubstr("$3\r\nACK\r\n$3\r\n100\r\n")));
}

TEST_F(PrimaryConnectionTest, TheEndOfTheDataMayBeAMark) {
  Run("CONFIG SET repl-diskless-load on-empty-db");
  const std::string mark(40, 'm');
  ScriptedPeer primary(FullSync("$EOF:" + mark + "\r\n" + kEmptyRdb + mark + kSet));
  Follow(primary);
  AwaitOffset(100 + static_cast<int64_t>(kSet.size()));
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  Run("REPLICAOF NO ONE");  // the peer waits for the end of the connection
}

TEST_F(PrimaryConnectionTest, DataThatIsNoRdbIsRefused) {
  ScriptedPeer primary(FullSync("$9\r\nnonsense!"));
  Run("SET old data");
  Follow(primary);
  EXPECT_THAT(primary.Received(), HasSubstr("PSYNC")) << "it has been closed";
  EXPECT_THAT(Run("INFO replication"), HasSubstr("master_link_status:down\r\n"));
}

TEST_F(PrimaryConnectionTest, AnErrorOfThePrimaryEndsTheAttempt) {
  ScriptedPeer primary("-ERR no\r\n");
  Follow(primary);
  EXPECT_EQ(primary.Received(), "*1\r\n$4\r\nPING\r\n");
}

TEST_F(PrimaryConnectionTest, ThePrimarysClientMayBeKilled) {
  ScriptedPeer primary(
      FullSync("$" + std::to_string(kEmptyRdb.size()) + "\r\n" + kEmptyRdb + kSet));
  Follow(primary);
  AwaitOffset(100 + static_cast<int64_t>(kSet.size()));
  EXPECT_EQ(Run("CLIENT KILL TYPE master"), ":1\r\n");
  primary.Received();
  AwaitThat([&] { return Run("CLIENT LIST TYPE master") == "$0\r\n\r\n"; }, "gone");
  EXPECT_EQ(server_.replication().figures().offset, 100 + static_cast<int64_t>(kSet.size()));
}

TEST_F(PrimaryConnectionTest, NobodyListensThere) {
  std::string port;
  {
    const ScriptedPeer primary("");
    port = primary.port();
  }
  Run("REPLICAOF 127.0.0.1 " + port);
  AwaitThat([&] { return Run("ROLE").find("$7\r\nconnect\r\n") != std::string::npos; }, "it waits");
}

}  // namespace
}  // namespace cloakroom
