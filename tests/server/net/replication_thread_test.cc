#include "server/net/replication_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/session/client_registry.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/loop_fixture.h"

namespace cloakroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct Disk {
  FaultyFiles files;
};

class ReplicationThreadTest : private Disk, public LoopTest {
 protected:
  ReplicationThreadTest()
      : LoopTest(Disk::files, {"--save", "", "--repl-diskless-sync-delay", "0"}),
        replicas_(server_) {}

  /// Waits until the text has come; returns all that has.
  static std::string AwaitText(Peer& peer, std::string_view text) {
    std::string received;
    AwaitThat(
        [&] {
          received += peer.Received();
          return received.find(text) != received.npos || peer.closed();
        },
        text);
    return received;
  }

  /// Makes the peer a replica with all data, online. Returns the history's id.
  std::string Follow(Peer& peer) {
    peer.Exchange("REPLCONF capa eof capa psync2 listening-port 7000\r\n", "+OK\r\n");
    peer.Send("PSYNC ? -1\r\n");
    std::string received = AwaitText(peer, "$EOF:");
    const std::string id = received.substr(received.find("+FULLRESYNC ") + 12, 40);
    AwaitThat([&] { return (received += peer.Received()).size() > received.find("$EOF:") + 46; },
              "the mark");
    const std::string mark = received.substr(received.find("$EOF:") + 5, 40);
    while (received.find(mark, received.find(mark) + 1) == received.npos) {
      received += peer.Received();
    }
    EXPECT_THAT(received, HasSubstr("REDIS00"));
    peer.Send("REPLCONF ACK 0\r\n");
    AwaitThat([&] { return server_.replication().board().online() > 0; }, "online");
    return id;
  }

  ReplicationThread replicas_;
};

TEST_F(ReplicationThreadTest, AReplicaGetsEverythingAndThenEveryChange) {
  Peer& writer = Connect(loop(0));
  writer.Exchange("SET k before\r\n", "+OK\r\n");
  Peer& replica = Connect(loop(1));
  Follow(replica);
  writer.Exchange("SET k after\r\n", "+OK\r\n");
  EXPECT_THAT(AwaitText(replica, "after\r\n"),
              AllOf(HasSubstr("*2\r\n$6\r\nSELECT"), HasSubstr("SET\r\n$1\r\nk\r\n")));
  EXPECT_THAT(Run("INFO replication"),
              HasSubstr("connected_slaves:1\r\nslave0:ip=peer,port=7000,state=online,offset="));
  EXPECT_THAT(Run("CLIENT LIST TYPE replica"), HasSubstr(" flags=S "));
}

TEST_F(ReplicationThreadTest, AReplicaThatComesBackMissesNothing) {
  Peer& first = Connect(loop(0));
  const std::string id = Follow(first);
  const int64_t offset = server_.replication().figures().offset;
  const uint64_t client = first.client().id;
  Run("SET k while-away");
  server_.clients().Find(client)->link.lock()->Kill();
  AwaitThat([&] { return server_.replication().board().online() == 0; }, "closed");
  Peer& again = Connect(loop(1));
  again.Exchange("REPLCONF capa psync2\r\n", "+OK\r\n");
  again.Send("PSYNC " + id + " " + std::to_string(offset + 1) + "\r\n");
  EXPECT_THAT(AwaitText(again, "while-away"), StartsWith("+CONTINUE " + id + "\r\n"));
}

TEST_F(ReplicationThreadTest, WaitIsWokenByAnAck) {
  Peer& replica = Connect(loop(0));
  Follow(replica);
  Peer& writer = Connect(loop(1));
  writer.Exchange("SET k v\r\n", "+OK\r\n");
  Park(writer, "WAIT 1 0\r\n");
  AwaitText(replica, "GETACK");
  replica.Send("REPLCONF ACK " + std::to_string(server_.replication().figures().offset) + "\r\n");
  EXPECT_EQ(writer.Await(4), ":1\r\n");
}

TEST_F(ReplicationThreadTest, AReplicaThatSendsCommandsIsClosed) {
  Peer& replica = Connect(loop(0));
  Follow(replica);
  replica.Send("GET k\r\n");
  AwaitThat([&] { return server_.replication().board().online() == 0; }, "closed");
  EXPECT_EQ(server_.replication().figures().replica_errors, 1);
}

TEST_F(ReplicationThreadTest, AfterAnErrorItIsAClientAsBefore) {
  Peer& peer = Connect(loop(0));
  peer.Exchange("PSYNC ? x\r\n", "-ERR value is not an integer or out of range\r\n");
  peer.Exchange("PING\r\n", "+PONG\r\n");
}

TEST_F(ReplicationThreadTest, ReplicasOfAForgottenHistoryAreClosed) {
  Peer& replica = Connect(loop(0));
  Follow(replica);
  server_.replication().ForgetHistory();
  AwaitThat(
      [&] {
        replica.Received();
        return replica.closed();
      },
      "closed");
}

}  // namespace
}  // namespace cloakroom
