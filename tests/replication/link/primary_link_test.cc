#include "replication/link/primary_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "tests/replication/support/link_owner.h"

namespace cloakroom {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using State = PrimaryLink::State;

const std::string kId(40, 'a');
const std::string kOtherId(40, 'b');
const std::string kMark(40, 'm');
constexpr std::string_view kPing = "*1\r\n$4\r\nPING\r\n";

HistoryPoint At(const std::string& id, int64_t offset) {
  return {*ReplicationId::Parse(id), offset};
}

class PrimaryLinkTest : public ::testing::Test {
 protected:
  /// The conversation's steps, each from where the last one leads to.
  void Start(std::optional<HistoryPoint> cached = std::nullopt, bool failover = false) {
    owner_.Do(owner_.link.Start({"host", 6379}, cached, failover, owner_.now_ms));
  }
  void Connect() {
    owner_.Do(owner_.link.Resolved(owner_.attempt, absl::OkStatus(), owner_.now_ms));
    owner_.Do(owner_.link.Connected(owner_.attempt, absl::OkStatus(), owner_.now_ms));
  }
  void ToPsync(std::optional<HistoryPoint> cached = std::nullopt, bool failover = false) {
    Start(cached, failover);
    Connect();
    owner_.Read("+PONG\r\n");
    owner_.Read("+OK\r\n+OK\r\n");
    ASSERT_EQ(owner_.link.state(), State::kPsync);
  }
  void ToHeader(std::optional<HistoryPoint> cached = std::nullopt) {
    ToPsync(cached);
    owner_.Read("+FULLRESYNC " + kId + " 100\r\n");
    ASSERT_EQ(owner_.link.state(), State::kHeader);
  }
  void ToLoading(std::optional<HistoryPoint> cached = std::nullopt) {
    ToHeader(cached);
    owner_.Read("$5\r\nREDIS");
    ASSERT_EQ(owner_.link.state(), State::kLoading);
  }
  void ToConnected() {
    ToLoading();
    owner_.Do(owner_.link.LoadDone(owner_.now_ms));
    ASSERT_EQ(owner_.link.state(), State::kConnected);
  }
  /// The primary grants a partial sync to an attempt that has begun.
  void Continue() {
    Connect();
    owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
    owner_.Read("+CONTINUE " + kId + "\r\n");
    ASSERT_EQ(owner_.link.state(), State::kConnected);
  }
  void Lose(std::string_view error = "") {
    owner_.Do(owner_.link.ConnectionLost(error, owner_.now_ms));
  }
  void TickAfter(int64_t ms) {
    owner_.now_ms += ms;
    owner_.Do(owner_.link.Tick(owner_.now_ms));
  }
  void Set(PrimaryLinkSettings settings) { owner_.link.set_settings(std::move(settings)); }
  std::vector<std::string> Trace() { return owner_.TakeTrace(); }

  LinkOwner owner_{{.announced_port = 7}};
};

TEST_F(PrimaryLinkTest, AFullSyncInRedisWords) {
  Start();
  EXPECT_THAT(Trace(), ElementsAre("* Connecting to MASTER host:6379", "resolve host:6379"));
  owner_.Do(owner_.link.Resolved(owner_.attempt, absl::OkStatus(), owner_.now_ms));
  EXPECT_THAT(Trace(), ElementsAre("* MASTER <-> REPLICA sync started", "connect"));
  owner_.Do(owner_.link.Connected(owner_.attempt, absl::OkStatus(), owner_.now_ms));
  EXPECT_THAT(Trace(),
              ElementsAre("* Non blocking connect for SYNC fired the event.", "write *1|$4|PING|"));
  owner_.Read("+PONG\r\n");
  EXPECT_THAT(Trace(), ElementsAre("* Master replied to PING, replication can continue...",
                                   "write *3|$8|REPLCONF|$14|listening-port|$1|7|"
                                   "*5|$8|REPLCONF|$4|capa|$3|eof|$4|capa|$6|psync2|"));
  owner_.Read("+OK\r\n+OK\r\n");
  EXPECT_THAT(Trace(), ElementsAre("* Partial resynchronization not possible (no cached master)",
                                   "write *3|$5|PSYNC|$1|?|$2|-1|"));
  owner_.Read("\n+FULLRESYNC " + kId + " 100\r\n\n");
  EXPECT_THAT(Trace(), ElementsAre("* Full resync from master: " + kId + ":100"));
  owner_.Read("$5\r\nREDIS");
  EXPECT_THAT(Trace(),
              ElementsAre("* MASTER <-> REPLICA sync: receiving 5 bytes from master to disk",
                          "receive 5", "* MASTER <-> REPLICA sync: Flushing old data",
                          "* MASTER <-> REPLICA sync: Loading DB in memory", "load"));
  owner_.Do(owner_.link.LoadDone(owner_.now_ms));
  EXPECT_THAT(Trace(),
              ElementsAre("* MASTER <-> REPLICA sync: Finished with success",
                          "synced " + kId + " 100", "write *3|$8|REPLCONF|$3|ACK|$3|100|"));
  EXPECT_EQ(owner_.data.text(), "REDIS");
}

TEST_F(PrimaryLinkTest, APartialSyncAfterALossInRedisWords) {
  ToConnected();
  owner_.link.set_progress(158, std::nullopt);
  owner_.now_ms += 5000;
  Trace();
  Lose();
  EXPECT_THAT(Trace(),
              ElementsAre("# Connection with master lost.",
                          "* Caching the disconnected master state.", "stream ended", "close",
                          "* Reconnecting to MASTER host:6379", "resolve host:6379"));
  Connect();
  owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
  EXPECT_THAT(Trace(),
              AllOf(Contains("* Trying a partial resynchronization (request " + kId + ":159)."),
                    Contains("write *3|$5|PSYNC|$40|" + kId + "|$3|159|")));
  owner_.Read("+CONTINUE " + kOtherId + "\r\n" + std::string(kPing));
  EXPECT_THAT(Trace(),
              ElementsAre("* Successful partial resynchronization with master.",
                          "# Master replication ID changed to " + kOtherId,
                          "* MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.",
                          "continue " + kOtherId + " changed"));
  EXPECT_EQ(owner_.stream, kPing);
  owner_.now_ms += 5000;
  Lose();
  Connect();
  owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
  EXPECT_THAT(Trace(), Contains("write *3|$5|PSYNC|$40|" + kOtherId + "|$3|159|"));
}

TEST_F(PrimaryLinkTest, ContinueWithTheSameIdOrNoneKeepsTheHistory) {
  for (const std::string& rest : {std::string(), " " + kId, std::string(" strange")}) {
    ToPsync(At(kId, 10));
    Trace();
    owner_.Read("+CONTINUE" + rest + "\r\n");
    EXPECT_THAT(Trace(), Contains("continue " + kId));
  }
}

TEST_F(PrimaryLinkTest, ContinueWithoutAHistoryIsNoAnswer) {
  ToPsync();
  Trace();
  owner_.Read("+CONTINUE " + kId + "\r\n" + std::string(kPing));
  EXPECT_THAT(Trace(),
              ElementsAre("# Unexpected reply to PSYNC from master: +CONTINUE " + kId, "close"));
  EXPECT_EQ(owner_.stream, "");
  EXPECT_EQ(owner_.link.state(), State::kConnect);
}

TEST_F(PrimaryLinkTest, SaysWhoItIsAndWhereItListens) {
  Set({.user = "me", .password = "p w", .announced_ip = "1.2.3.4", .announced_port = 77});
  Start();
  Connect();
  Trace();
  owner_.Read("-NOAUTH Authentication required.\r\n");
  EXPECT_THAT(Trace(), Contains("write *3|$4|AUTH|$2|me|$3|p w|"
                                "*3|$8|REPLCONF|$14|listening-port|$2|77|"
                                "*3|$8|REPLCONF|$10|ip-address|$7|1.2.3.4|"
                                "*5|$8|REPLCONF|$4|capa|$3|eof|$4|capa|$6|psync2|"));
  owner_.Read("+OK\r\n-ERR a\r\n-ERR b\r\n");
  EXPECT_THAT(
      Trace(),
      ElementsAre("* (Non critical) Master does not understand REPLCONF listening-port: -ERR a",
                  "* (Non critical) Master does not understand REPLCONF ip-address: -ERR b"));
  owner_.Read("-ERR c\r\n");
  EXPECT_THAT(Trace(),
              Contains("* (Non critical) Master does not understand REPLCONF capa: -ERR c"));
  EXPECT_EQ(owner_.link.state(), State::kPsync);
}

TEST_F(PrimaryLinkTest, AuthenticatesTheDefaultUserByPasswordAlone) {
  Set({.password = "secret"});
  Start();
  Connect();
  owner_.Read("-NOPERM x\r\n");
  EXPECT_THAT(Trace().back(), testing::StartsWith("write *2|$4|AUTH|$6|secret|*3|$8|REPLCONF|"));
  owner_.Read("-WRONGPASS no\r\n");
  EXPECT_THAT(Trace(), ElementsAre("# Unable to AUTH to MASTER: -WRONGPASS no", "close"));
  EXPECT_EQ(owner_.link.role_state(), "connect");
}

TEST_F(PrimaryLinkTest, AnErrorReplyToPingEndsTheAttempt) {
  for (const std::string reply : {"-LOADING x", "junk", ""}) {
    Start();
    Connect();
    Trace();
    owner_.Read(reply + "\r\n");
    EXPECT_THAT(Trace(),
                ElementsAre("# Error reply to PING from master: '" + reply + "'", "close"));
  }
}

TEST_F(PrimaryLinkTest, FallsBackToSyncForOldPrimaries) {
  ToPsync();
  Trace();
  owner_.Read("-ERR unknown command\r\n");
  EXPECT_THAT(Trace(), ElementsAre("* Master does not support PSYNC or is in error state (reply: "
                                   "-ERR unknown command)",
                                   "* Retrying with SYNC...", "write SYNC|"));
  owner_.Read("$5\r\nREDIS" + std::string(kPing));
  EXPECT_EQ(owner_.stream, "") << "it is loading";
  Trace();
  owner_.Do(owner_.link.LoadDone(owner_.now_ms));
  EXPECT_THAT(Trace(), ElementsAre("* MASTER <-> REPLICA sync: Finished with success", "synced"));
  owner_.ReadKept();
  EXPECT_EQ(owner_.stream, kPing);
  owner_.Do(owner_.link.AnswerGetAck());
  TickAfter(2000);
  EXPECT_THAT(Trace(), IsEmpty()) << "it does not understand ACKs";
  Lose();
  EXPECT_THAT(Trace(), Not(Contains("* Caching the disconnected master state.")));
}

TEST_F(PrimaryLinkTest, OtherAnswersToPsync) {
  const std::map<std::string, std::string> lines = {
      {"-NOMASTERLINK x",
       "* Master is currently unable to PSYNC but should be in the future: "
       "-NOMASTERLINK x"},
      {"-LOADING x",
       "* Master is currently unable to PSYNC but should be in the future: "
       "-LOADING x"},
      {"+FULLRESYNC abc", "# Master replied with wrong +FULLRESYNC syntax."}};
  for (const auto& [reply, line] : lines) {
    ToPsync();
    Trace();
    owner_.Read(reply + "\r\n");
    EXPECT_THAT(Trace(), ElementsAre(line, "close"));
    EXPECT_EQ(owner_.link.state(), State::kConnect);
  }
  ToPsync();
  Trace();
  owner_.Read("-FOO x\r\n");
  EXPECT_THAT(Trace(), ElementsAre("# Unexpected reply to PSYNC from master: -FOO x",
                                   "* Retrying with SYNC...", "write SYNC|"));
}

TEST_F(PrimaryLinkTest, ABadHeaderEndsTheSync) {
  ToHeader();
  Trace();
  owner_.Read("-ERR no\r\n");
  EXPECT_THAT(Trace(), ElementsAre("# MASTER aborted replication with an error: ERR no", "close"));
  for (const std::string header : {"garbage", "$", "$-1", "$0", "$EOF:short", "$12x"}) {
    ToHeader();
    Trace();
    owner_.Read(header + "\r\n");
    EXPECT_THAT(Trace(),
                ElementsAre("# Bad protocol from MASTER, the first byte is not '$' (we received '" +
                                header + "'), are you sure the host and port are right?",
                            "close"));
  }
}

TEST_F(PrimaryLinkTest, ALineOfMoreThanAKilobyteEndsTheAttempt) {
  Start();
  Connect();
  Trace();
  owner_.Read("-NOAUTH " + std::string(1016, 'x'));
  EXPECT_THAT(Trace(), IsEmpty());
  owner_.Read("x");
  EXPECT_THAT(Trace(), Contains("# Master did not respond to command during SYNC handshake"));
  EXPECT_EQ(owner_.link.state(), State::kConnect);
  ToHeader();
  owner_.Read("$" + std::string(1024, '1'));
  EXPECT_EQ(owner_.link.state(), State::kConnect);
}

TEST_F(PrimaryLinkTest, LossesInRedisWords) {
  Start();
  owner_.Do(owner_.link.Resolved(owner_.attempt, absl::NotFoundError("no such host"), 0));
  EXPECT_EQ(Trace().back(), "# Unable to connect to MASTER: no such host");
  Start();
  owner_.Do(owner_.link.Resolved(owner_.attempt, absl::OkStatus(), owner_.now_ms));
  owner_.Do(owner_.link.Connected(owner_.attempt, absl::UnavailableError("Connection refused"), 0));
  EXPECT_THAT(Trace(), Contains("# Error condition on socket for SYNC: Connection refused"));
  Start();
  Connect();
  Trace();
  Lose();
  EXPECT_THAT(Trace(),
              ElementsAre("# Failed to read response from the server: Success",
                          "# Master did not respond to command during SYNC handshake", "close"));
  ToPsync();
  Trace();
  Lose("Connection reset by peer");
  EXPECT_THAT(Trace(),
              ElementsAre("# Failed to read response from the server: Connection reset by peer",
                          "# Master did not reply to PSYNC, will try later", "close"));
  ToHeader();
  Trace();
  Lose();
  EXPECT_THAT(Trace(), ElementsAre("# I/O error reading bulk count from MASTER: Success", "close"));
  ToHeader();
  owner_.Read("$5\r\nRED");
  Trace();
  Lose();
  EXPECT_THAT(Trace(), ElementsAre("# I/O error trying to sync with MASTER: connection lost",
                                   "discard", "close"));
}

TEST_F(PrimaryLinkTest, ALostStreamIsContinuedAtOnceButAgainAndAgainOnceASecond) {
  ToConnected();
  for (int i = 0; i < PrimaryLink::kMostAtOnce; ++i) {
    Lose();
    ASSERT_EQ(owner_.link.state(), State::kConnecting) << i;
    Continue();
  }
  for (int i = 0; i < 3; ++i) {
    Lose();
    ASSERT_EQ(owner_.link.state(), State::kConnect) << i;
    TickAfter(1000);
    Continue();
  }
  owner_.now_ms += 1000;
  Lose();
  Continue();
  Lose();
  EXPECT_EQ(owner_.link.state(), State::kConnecting) << "the last one has lived for a second";
}

TEST_F(PrimaryLinkTest, ALossWithNothingToContinueIsFollowedByAnAttemptOnceASecondAtMost) {
  ToConnected();
  owner_.now_ms += 999;
  owner_.Do(owner_.link.StreamBroken(absl::DataLossError("x"), owner_.now_ms));
  Trace();
  EXPECT_EQ(owner_.link.state(), State::kConnect) << "the last attempt was less than a second ago";
  TickAfter(0);
  EXPECT_THAT(Trace(), IsEmpty());
  TickAfter(1);
  EXPECT_THAT(Trace(), ElementsAre("* Reconnecting to MASTER host:6379", "resolve host:6379"));
  owner_.Do(owner_.link.Resolved(owner_.attempt, absl::NotFoundError("x"), owner_.now_ms));
  Trace();
  TickAfter(999);
  EXPECT_THAT(Trace(), IsEmpty());
  TickAfter(1);
  EXPECT_THAT(Trace(), ElementsAre("* Connecting to MASTER host:6379", "resolve host:6379"));
}

TEST_F(PrimaryLinkTest, AFailedSyncIsTriedAgainAtOnce) {
  ToHeader();
  owner_.now_ms += 1000;
  Trace();
  owner_.Read("-ERR no\r\n");
  EXPECT_THAT(Trace(),
              ElementsAre("# MASTER aborted replication with an error: ERR no", "close",
                          "* Reconnecting to MASTER host:6379 after failure", "resolve host:6379"));
}

TEST_F(PrimaryLinkTest, TimesOutInRedisWords) {
  Set({.timeout_ms = 2000});
  Start();
  Connect();
  Trace();
  TickAfter(2000);
  EXPECT_THAT(Trace(), IsEmpty());
  TickAfter(1);
  EXPECT_THAT(Trace(),
              ElementsAre("# Timeout connecting to the MASTER...", "close",
                          "* Reconnecting to MASTER host:6379 after failure", "resolve host:6379"));
  ToHeader();
  TickAfter(2000);
  owner_.Read("\n");
  TickAfter(2000);
  EXPECT_EQ(owner_.link.state(), State::kHeader) << "an empty line keeps it alive";
  Trace();
  TickAfter(1);
  EXPECT_EQ(Trace().front(),
            "# Timeout receiving bulk data from MASTER... If the problem persists try to set the "
            "'repl-timeout' parameter in redis.conf to a larger value.");
  ToConnected();
  TickAfter(2000);
  owner_.Read("x");
  TickAfter(2000);
  EXPECT_EQ(owner_.link.state(), State::kConnected);
  Trace();
  TickAfter(1);
  EXPECT_THAT(Trace(),
              ElementsAre("# MASTER timeout: no data nor PING received...",
                          "# Connection with master lost.",
                          "* Caching the disconnected master state.", "stream ended", "close",
                          "* Reconnecting to MASTER host:6379", "resolve host:6379"));
}

TEST_F(PrimaryLinkTest, AcksOnceASecondAndWhenAsked) {
  ToConnected();
  Trace();
  owner_.link.set_progress(121, std::nullopt);
  TickAfter(999);
  EXPECT_THAT(Trace(), IsEmpty());
  TickAfter(1);
  EXPECT_THAT(Trace(), ElementsAre("write *3|$8|REPLCONF|$3|ACK|$3|121|"));
  TickAfter(1);
  EXPECT_THAT(Trace(), IsEmpty());
  owner_.link.set_progress(130, 125);
  owner_.Do(owner_.link.AnswerGetAck());
  EXPECT_THAT(Trace(), ElementsAre("write *5|$8|REPLCONF|$3|ACK|$3|130|$4|FACK|$3|125|"));
}

TEST_F(PrimaryLinkTest, KeepsThePrimaryAwakeWhileItLoads) {
  ToLoading();
  Trace();
  for (int i = 0; i < 100; i++) TickAfter(100);
  EXPECT_EQ(Trace(), std::vector<std::string>(10, "write |"));
  EXPECT_EQ(owner_.link.state(), State::kLoading) << "it takes as long as it takes";
}

TEST_F(PrimaryLinkTest, ALossWhileItLoadsCostsOnlyAPartialSync) {
  ToLoading();
  Trace();
  Lose("Connection reset by peer");
  TickAfter(3000);
  EXPECT_THAT(Trace(), ElementsAre("close"));
  owner_.Do(owner_.link.LoadDone(owner_.now_ms));
  EXPECT_THAT(Trace(), ElementsAre("* MASTER <-> REPLICA sync: Finished with success",
                                   "synced " + kId + " 100", "# Connection with master lost.",
                                   "* Caching the disconnected master state.", "stream ended",
                                   "* Reconnecting to MASTER host:6379", "resolve host:6379"));
}

TEST_F(PrimaryLinkTest, ThePlaceInAHistoryIsKeptAsLongAsItsData) {
  for (SyncLoad load : {SyncLoad::kDisk, SyncLoad::kSwap}) {
    Set({.load = load});
    ToLoading(At(kOtherId, 10));
    owner_.now_ms += 1000;
    owner_.Do(owner_.link.LoadFailed(absl::DataLossError("bad"), owner_.now_ms));
    EXPECT_THAT(Trace(), Contains(std::string("# Failed trying to load the MASTER synchronization "
                                              "DB from ") +
                                  (load == SyncLoad::kDisk ? "disk: bad" : "socket: bad")));
    Connect();
    owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
    const bool kept = load == SyncLoad::kSwap;
    EXPECT_THAT(Trace(), Contains(kept ? "write *3|$5|PSYNC|$40|" + kOtherId + "|$2|11|"
                                       : "write *3|$5|PSYNC|$1|?|$2|-1|"));
    ToLoading(At(kOtherId, 10));
    owner_.Do(owner_.link.TransferFailed(absl::DataLossError("full"), owner_.now_ms));
    owner_.now_ms += 1000;
    Connect();
    owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
    EXPECT_THAT(Trace(), Contains("write *3|$5|PSYNC|$40|" + kOtherId + "|$2|11|"))
        << "nothing was loaded";
    ToLoading(At(kOtherId, 10));
    Trace();
    owner_.Do(owner_.link.LoadDone(owner_.now_ms));
    EXPECT_EQ(Trace().front(), "* Discarding previously cached master state.");
  }
}

TEST_F(PrimaryLinkTest, InPlaceTheOldDataIsForgottenBeforeTheNewComes) {
  Set({.load = SyncLoad::kInPlace});
  ToHeader(At(kOtherId, 10));
  Trace();
  owner_.Read("$EOF:" + kMark + "\r\nREDIS");
  EXPECT_THAT(
      Trace(),
      ElementsAre(
          "* MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to parser",
          "* Discarding previously cached master state.",
          "* MASTER <-> REPLICA sync: Flushing old data",
          "* MASTER <-> REPLICA sync: Loading DB in memory", "receive " + kMark));
  TickAfter(1000);
  EXPECT_THAT(Trace(), ElementsAre("write |"));
  owner_.Do(owner_.link.LoadFailed(absl::DataLossError("bad"), owner_.now_ms));
  Connect();
  owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
  EXPECT_THAT(Trace(), AllOf(Contains("discard"), Contains("write *3|$5|PSYNC|$1|?|$2|-1|")));
}

TEST_F(PrimaryLinkTest, AFullDiskEndsTheTransfer) {
  ToHeader();
  owner_.Read("$500\r\nRED");
  Trace();
  owner_.Do(owner_.link.TransferFailed(absl::ResourceExhaustedError("No space left on device"),
                                       owner_.now_ms));
  EXPECT_THAT(Trace(), ElementsAre("# Write error or short write writing to the DB dump file "
                                   "needed for MASTER <-> REPLICA synchronization: No space left "
                                   "on device",
                                   "discard", "close"));
}

TEST_F(PrimaryLinkTest, ABrokenStreamLeadsToAFullSync) {
  ToConnected();
  owner_.now_ms += 1000;
  Trace();
  owner_.Do(owner_.link.StreamBroken(absl::InvalidArgumentError("WARNING: x"), owner_.now_ms));
  EXPECT_THAT(Trace(),
              ElementsAre("# WARNING: x", "# Connection with master lost.", "stream ended", "close",
                          "* Reconnecting to MASTER host:6379", "resolve host:6379"));
  Connect();
  owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
  EXPECT_THAT(Trace(), Contains("write *3|$5|PSYNC|$1|?|$2|-1|"));
}

TEST_F(PrimaryLinkTest, FailoverAsksOnceAndReportsTheAnswer) {
  const std::map<std::string, std::string> answers = {
      {"+CONTINUE", "failover accepted"},
      {"+FULLRESYNC " + kId + " 1", "failover accepted"},
      {"-LOADING x", "failover rejected"},
      {"-ERR PSYNC FAILOVER replid must match my replid.", "failover rejected"}};
  for (const auto& [answer, action] : answers) {
    ToPsync(At(kId, 10), true);
    EXPECT_EQ(Trace().back(), "write *4|$5|PSYNC|$40|" + kId + "|$2|11|$8|FAILOVER|");
    owner_.Read("\n" + answer + "\r\n");
    EXPECT_EQ(Trace().front(), action);
  }
  ToPsync(At(kId, 10), true);
  Lose();
  EXPECT_THAT(Trace(), Contains("failover rejected"));
  TickAfter(1000);
  Connect();
  owner_.Read("+PONG\r\n+OK\r\n+OK\r\n");
  EXPECT_EQ(Trace().back(), "write *3|$5|PSYNC|$40|" + kId + "|$2|11|");
}

TEST_F(PrimaryLinkTest, StoppingSaysWhatRedisSays) {
  ToConnected();
  Trace();
  owner_.Do(owner_.link.Stop());
  EXPECT_THAT(Trace(), ElementsAre("# Connection with master lost.",
                                   "* Caching the disconnected master state.", "stream ended",
                                   "close", "* Discarding previously cached master state."));
  EXPECT_EQ(owner_.link.role_state(), "none");
  EXPECT_EQ(owner_.link.Info(owner_.now_ms).down_since_seconds, -1);
}

TEST_F(PrimaryLinkTest, ResultsOfAnAttemptThatWasGivenUpChangeNothing) {
  Start();
  const uint64_t old = owner_.attempt;
  Start();
  Trace();
  owner_.Do(owner_.link.Resolved(old, absl::OkStatus(), owner_.now_ms));
  owner_.Do(owner_.link.Resolved(old, absl::NotFoundError("x"), owner_.now_ms));
  owner_.Do(owner_.link.Connected(old, absl::OkStatus(), owner_.now_ms));
  EXPECT_THAT(Trace(), IsEmpty());
  EXPECT_EQ(owner_.link.state(), State::kConnecting);
}

TEST_F(PrimaryLinkTest, InfoAsInRedis) {
  ToHeader();
  PrimaryLinkInfo info = owner_.link.Info(owner_.now_ms + 1000);
  EXPECT_TRUE(info.syncing);
  EXPECT_FALSE(info.up);
  EXPECT_EQ(info.last_io_seconds_ago, -1);
  EXPECT_EQ(info.down_since_seconds, -1) << "it never was up";
  EXPECT_EQ(info.sync_total_bytes, -1);
  EXPECT_EQ(info.sync_left_bytes, -1);
  EXPECT_TRUE(std::signbit(info.sync_percent)) << "Redis shows -0.00";
  EXPECT_EQ(info.sync_last_io_seconds_ago, 1);
  owner_.Read("$500\r\nREDIS");
  info = owner_.link.Info(owner_.now_ms);
  EXPECT_EQ(info.sync_total_bytes, 500);
  EXPECT_EQ(info.sync_read_bytes, 5);
  EXPECT_EQ(info.sync_left_bytes, 495);
  EXPECT_EQ(info.sync_percent, 1.0);
  ToHeader();
  owner_.Read("$EOF:" + kMark + "\r\nREDIS");
  info = owner_.link.Info(owner_.now_ms);
  EXPECT_EQ(info.sync_total_bytes, 0);
  EXPECT_EQ(info.sync_left_bytes, -5);
  EXPECT_EQ(info.sync_percent, 0);
  ToConnected();
  info = owner_.link.Info(owner_.now_ms + 3500);
  EXPECT_TRUE(info.up);
  EXPECT_FALSE(info.syncing);
  EXPECT_EQ(info.last_io_seconds_ago, 3);
  Lose();
  info = owner_.link.Info(owner_.now_ms + 2500);
  EXPECT_FALSE(info.up);
  EXPECT_EQ(info.last_io_seconds_ago, -1);
  EXPECT_EQ(info.down_since_seconds, 2);
}

TEST_F(PrimaryLinkTest, RoleNamesTheStateAsInRedis) {
  EXPECT_EQ(owner_.link.role_state(), "none");
  Start();
  EXPECT_EQ(owner_.link.role_state(), "connecting");
  owner_.Do(owner_.link.Resolved(owner_.attempt, absl::NotFoundError("x"), owner_.now_ms));
  EXPECT_EQ(owner_.link.role_state(), "connect");
  ToPsync();
  EXPECT_EQ(owner_.link.role_state(), "handshake");
  ToHeader();
  EXPECT_EQ(owner_.link.role_state(), "sync");
  ToLoading();
  EXPECT_EQ(owner_.link.role_state(), "sync");
  ToConnected();
  EXPECT_EQ(owner_.link.role_state(), "connected");
}

}  // namespace
}  // namespace cloakroom
