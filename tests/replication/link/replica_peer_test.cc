#include "replication/link/replica_peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace cloakroom {
namespace {

using Kind = PeerAction::Kind;
using State = ReplicaPeer::State;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kNow = 1'000'000;
constexpr int64_t kTimeoutS = 60;
constexpr int64_t kInstant = 700;  // the position of the snapshot
constexpr char kName[] = "10.0.0.2:6380";

const ReplicationId kId = *ReplicationId::Parse(std::string(40, 'a'));
const ReplicationId kMark = *ReplicationId::Parse(std::string(40, 'e'));
const PeerInstant kByStream = {.id = kId, .offset = 1700, .position = kInstant, .mark = kMark};
const PeerInstant kByFile = {.id = kId, .offset = 1700, .position = kInstant, .mark = {}};
const PeerGranted kGranted = {"+CONTINUE\r\n", 500, kNow};

PeerAck Ack(int64_t offset, int64_t now_ms = kNow) {
  return {{.reply = Replconf::Reply::kNone, .acked = true, .ack = offset}, now_ms};
}

ReplicaOptions Options() { return {.listening_port = 6380, .capa_eof = true}; }

ReplicaPeer PeerIn(State state, ReplicaOptions options = Options(), bool psync = true) {
  ReplicaPeer peer(options, "10.0.0.2");
  std::vector<PeerEvent> way;
  if (state == State::kGone) way = {PeerLost()};
  if (state == State::kOnline) way = {kGranted};
  if (state > State::kClient && state < State::kOnline) way = {PeerFull{psync}};
  if (state == State::kFileWait || state == State::kSendFile) way.emplace_back(kByFile);
  if (state == State::kSendFile) way.emplace_back(PeerFileReady{1});
  if (state == State::kStreaming || state == State::kAwaitAck) way.emplace_back(kByStream);
  if (state == State::kAwaitAck) way.emplace_back(PeerRdbSent{kNow});
  for (const PeerEvent& event : way) (void)peer.On(event);
  EXPECT_EQ(peer.state(), state);
  return peer;
}

std::vector<Kind> Kinds(const std::vector<PeerAction>& actions) {
  std::vector<Kind> kinds;
  kinds.reserve(actions.size());
  for (const PeerAction& action : actions) kinds.push_back(action.kind);
  return kinds;
}
std::string Written(const std::vector<PeerAction>& actions) {
  std::string text;
  for (const PeerAction& action : actions) text += action.text;
  return text;
}
std::vector<std::string> Lines(const std::vector<PeerAction>& actions) {
  std::vector<std::string> lines;
  for (const PeerAction& action : actions)
    if (action.kind == Kind::kLog) lines.push_back(action.line.text);
  return lines;
}
const std::string kLostLine = std::string("Connection with replica ") + kName + " lost.";

// Every event in every state.

struct Cell {
  std::vector<Kind> actions;
  State next;
};
struct Row {
  const char* name;
  PeerEvent event;
  /// The states in which the event has a meaning. In the others it does nothing.
  std::vector<std::pair<State, Cell>> cells;
};

constexpr std::array kStates = {State::kClient,   State::kWaiting,   State::kFileWait,
                                State::kSendFile, State::kStreaming, State::kAwaitAck,
                                State::kOnline,   State::kGone};
constexpr std::array kReplicaStates = {State::kWaiting,   State::kFileWait, State::kSendFile,
                                       State::kStreaming, State::kAwaitAck, State::kOnline};

std::vector<std::pair<State, Cell>> AnyReplica(const std::vector<Kind>& actions) {
  std::vector<std::pair<State, Cell>> cells;
  cells.reserve(kReplicaStates.size());
  for (const State state : kReplicaStates) cells.push_back({state, {actions, State::kGone}});
  return cells;
}

std::vector<Row> Table() {
  std::vector<Row> rows = {
      {"granted",
       kGranted,
       {{State::kClient,
         {{Kind::kMoveSocket, Kind::kWrite, Kind::kPinCursor, Kind::kOnline, Kind::kSendStream},
          State::kOnline}}}},
      {"full",
       PeerFull{},
       {{State::kClient, {{Kind::kMoveSocket, Kind::kJoinGroup}, State::kWaiting}}}},
      {"a second",
       PeerSecond{kNow + 1000, kTimeoutS},
       {{State::kWaiting, {{Kind::kWrite}, State::kWaiting}},
        {State::kFileWait, {{Kind::kWrite}, State::kFileWait}}}},
      {"a second after the time-out",
       PeerSecond{kNow + 61'000, kTimeoutS},
       {{State::kWaiting, {{Kind::kWrite}, State::kWaiting}},
        {State::kFileWait, {{Kind::kWrite}, State::kFileWait}},
        {State::kAwaitAck, {{Kind::kLog, Kind::kLog, Kind::kClose}, State::kGone}},
        {State::kOnline, {{Kind::kLog, Kind::kLog, Kind::kClose}, State::kGone}}}},
      {"snapshot refused",
       PeerSnapshotRefused{},
       {{State::kWaiting, {{Kind::kWrite, Kind::kCloseAfterWrite}, State::kGone}}}},
      {"instant of a stream",
       kByStream,
       {{State::kWaiting,
         {{Kind::kPinCursor, Kind::kWrite, Kind::kWrite, Kind::kSendRdb}, State::kStreaming}}}},
      {"instant of a file",
       kByFile,
       {{State::kWaiting, {{Kind::kPinCursor, Kind::kWrite}, State::kFileWait}}}},
      {"file ready",
       PeerFileReady{5},
       {{State::kFileWait, {{Kind::kWrite, Kind::kSendFile}, State::kSendFile}}}},
      {"save failed",
       PeerSaveFailed{},
       {{State::kFileWait, {{Kind::kLog, Kind::kLog, Kind::kClose}, State::kGone}},
        {State::kStreaming, {{Kind::kLog, Kind::kLog, Kind::kClose}, State::kGone}}}},
      {"taken", PeerTaken{10}, {}},
      {"blocked", PeerBlocked{kNow}, {}},
      {"RDB sent",
       PeerRdbSent{kNow},
       {{State::kSendFile, {{Kind::kOnline, Kind::kLog, Kind::kSendStream}, State::kOnline}},
        {State::kStreaming,
         {{Kind::kWrite, Kind::kLog, Kind::kOnline, Kind::kLog}, State::kAwaitAck}}}},
      {"ack",
       Ack(600),
       {{State::kAwaitAck, {{Kind::kAcked, Kind::kSendStream}, State::kOnline}},
        {State::kOnline, {{Kind::kAcked}, State::kOnline}}}},
      {"published",
       PeerPublished{kInstant + 1, true, 0},
       {{State::kOnline, {{Kind::kSendStream}, State::kOnline}}}},
      {"command with a reply", PeerCommand{"ping", false, "", "id=7"},
       AnyReplica({Kind::kLog, Kind::kLog, Kind::kClose})},
      {"command on keys", PeerCommand{"get", true, "", "id=7"},
       AnyReplica({Kind::kLog, Kind::kLog, Kind::kCountError, Kind::kLog, Kind::kClose})},
      {"over the limit", PeerOverLimit{"id=7", "why"},
       AnyReplica({Kind::kLog, Kind::kLog, Kind::kLog, Kind::kClose})},
      {"dismissed", PeerDismissed{}, AnyReplica({Kind::kLog, Kind::kClose})},
      {"lost", PeerLost{}, AnyReplica({Kind::kLog, Kind::kClose})},
  };
  rows.back().cells.push_back({State::kClient, {{Kind::kClose}, State::kGone}});
  return rows;
}

TEST(ReplicaPeerTest, EveryEventInEveryState) {
  for (const Row& row : Table()) {
    for (const State state : kStates) {
      SCOPED_TRACE(std::string(row.name) + " in state " + std::to_string(static_cast<int>(state)));
      Cell expected = {{}, state};
      for (const auto& [from, cell] : row.cells)
        if (from == state) expected = cell;
      ReplicaPeer peer = PeerIn(state);
      EXPECT_EQ(Kinds(peer.On(row.event)), expected.actions);
      EXPECT_EQ(peer.state(), expected.next);
    }
  }
}

TEST(ReplicaPeerTest, TheTableNamesEveryEvent) {
  std::vector<bool> named(std::variant_size_v<PeerEvent>, false);
  for (const Row& row : Table()) named[row.event.index()] = true;
  EXPECT_THAT(named, testing::Each(true));
}

// What the actions say.

TEST(ReplicaPeerTest, AGrantedReplicaGetsItsReplyAndThenTheStream) {
  ReplicaPeer peer = PeerIn(State::kClient);
  const auto actions = peer.On(kGranted);
  EXPECT_EQ(Written(actions), "+CONTINUE\r\n");
  EXPECT_EQ(actions[2].position, 500);
  EXPECT_EQ(peer.cursor(), 500);
}

TEST(ReplicaPeerTest, ARdbThatIsSentWhileItIsMadeStandsBetweenMarks) {
  ReplicaPeer peer = PeerIn(State::kWaiting);
  const auto begin = peer.On(kByStream);
  EXPECT_EQ(Written(begin), "+FULLRESYNC " + std::string(40, 'a') +
                                " 1700\r\n$EOF:" + std::string(40, 'e') + "\r\n");
  EXPECT_EQ(begin[0].position, kInstant);
  EXPECT_EQ(Written(peer.On(PeerRdbSent{kNow})), std::string(40, 'e'));
  EXPECT_EQ(peer.cursor(), kInstant) << "nothing of the stream before the first ACK";
}

TEST(ReplicaPeerTest, ARdbByFileHasItsLengthBefore) {
  ReplicaPeer peer = PeerIn(State::kWaiting);
  EXPECT_EQ(Written(peer.On(kByFile)), "+FULLRESYNC " + std::string(40, 'a') + " 1700\r\n");
  EXPECT_EQ(Written(peer.On(PeerFileReady{1234})), "$1234\r\n");
  EXPECT_EQ(Written(peer.On(PeerRdbSent{kNow})), "");
}

TEST(ReplicaPeerTest, AReplicaThatCameBySyncGetsTheRdbAlone) {
  ReplicaPeer file = PeerIn(State::kWaiting, Options(), false);
  EXPECT_EQ(Written(file.On(kByFile)), "");
  ReplicaPeer stream = PeerIn(State::kWaiting, Options(), false);
  EXPECT_EQ(Written(stream.On(kByStream)), "$EOF:" + std::string(40, 'e') + "\r\n");
}

TEST(ReplicaPeerTest, AReplicaThatCameBySyncMayBeSilent) {
  ReplicaPeer stream = PeerIn(State::kAwaitAck, Options(), false);
  EXPECT_THAT(stream.On(PeerSecond{kNow * 10, kTimeoutS}), IsEmpty());
  ReplicaPeer file = PeerIn(State::kSendFile, Options(), false);
  (void)file.On(PeerRdbSent{kNow});
  EXPECT_EQ(file.state(), State::kOnline);
  EXPECT_THAT(file.On(PeerSecond{kNow * 10, kTimeoutS}), IsEmpty());
}

TEST(ReplicaPeerTest, WaitingReplicasHearANewlineEachSecond) {
  ReplicaPeer peer = PeerIn(State::kWaiting);
  EXPECT_EQ(Written(peer.On(PeerSecond{kNow, kTimeoutS})), "\n");
}

TEST(ReplicaPeerTest, ARefusedSnapshotIsAnErrorReply) {
  EXPECT_EQ(Written(PeerIn(State::kWaiting).On(PeerSnapshotRefused())),
            "-ERR BGSAVE failed, replication can't continue\r\n");
}

TEST(ReplicaPeerTest, AFailedSaveIsLogged) {
  EXPECT_THAT(Lines(PeerIn(State::kFileWait).On(PeerSaveFailed())),
              ElementsAre("SYNC failed. BGSAVE child returned an error", kLostLine));
}

TEST(ReplicaPeerTest, TheEndOfARdbIsLogged) {
  const std::string succeeded = std::string("Synchronization with replica ") + kName + " succeeded";
  EXPECT_THAT(Lines(PeerIn(State::kSendFile).On(PeerRdbSent{kNow})), ElementsAre(succeeded));
  EXPECT_THAT(Lines(PeerIn(State::kStreaming).On(PeerRdbSent{kNow})),
              ElementsAre(std::string("Streamed RDB transfer with replica ") + kName +
                              " succeeded (socket). Waiting for REPLCONF ACK from slave to enable "
                              "streaming",
                          succeeded));
}

TEST(ReplicaPeerTest, AReplicaThatWantsOnlyTheRdbIsClosedBehindIt) {
  ReplicaOptions options = Options();
  options.rdb_only = true;
  const std::string line = std::string("RDB transfer completed, rdb only replica (") + kName +
                           ") should be disconnected asap";
  ReplicaPeer file = PeerIn(State::kSendFile, options);
  const auto actions = file.On(PeerRdbSent{kNow});
  EXPECT_THAT(Lines(actions), ElementsAre(line, kLostLine));
  EXPECT_EQ(actions.back().kind, Kind::kCloseAfterWrite);
  EXPECT_EQ(file.state(), State::kGone);

  ReplicaPeer stream = PeerIn(State::kStreaming, options);
  const auto with_mark = stream.On(PeerRdbSent{kNow});
  EXPECT_EQ(Written(with_mark), std::string(40, 'e'));
  EXPECT_EQ(with_mark.back().kind, Kind::kCloseAfterWrite);
  EXPECT_EQ(stream.state(), State::kGone);
}

TEST(ReplicaPeerTest, ASilentOnlineReplicaIsClosedAfterReplTimeout) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  EXPECT_THAT(peer.On(PeerSecond{kNow + 60'999, kTimeoutS}), IsEmpty());
  const auto actions = peer.On(PeerSecond{kNow + 61'000, kTimeoutS});
  EXPECT_THAT(Lines(actions),
              ElementsAre(std::string("Disconnecting timedout replica (streaming sync): ") + kName,
                          kLostLine));
  EXPECT_EQ(actions[0].line.level, LinkLevel::kWarning);
}

TEST(ReplicaPeerTest, AnAckPutsOffTheTimeout) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  (void)peer.On(Ack(1, kNow + 60'000));
  EXPECT_THAT(peer.On(PeerSecond{kNow + 120'000, kTimeoutS}), IsEmpty());
  (void)peer.On(PeerAck{{.ack = 2}, kNow + 120'000});
  EXPECT_EQ(peer.On(PeerSecond{kNow + 121'000, kTimeoutS}).size(), 3u)
      << "a malformed one does not";
}

TEST(ReplicaPeerTest, AFullSyncThatIsStuckIsClosedAfterReplTimeout) {
  for (const State state : {State::kStreaming, State::kSendFile}) {
    ReplicaPeer peer = PeerIn(state);
    EXPECT_THAT(peer.On(PeerSecond{kNow + 600'000, kTimeoutS}), IsEmpty()) << "it takes its bytes";
    (void)peer.On(PeerBlocked{kNow});
    (void)peer.On(PeerBlocked{kNow + 30'000});
    EXPECT_THAT(peer.On(PeerSecond{kNow + 60'999, kTimeoutS}), IsEmpty());
    EXPECT_THAT(Lines(peer.On(PeerSecond{kNow + 61'000, kTimeoutS})),
                ElementsAre(std::string("Disconnecting timedout replica (full sync): ") + kName,
                            kLostLine));
  }
}

TEST(ReplicaPeerTest, AFullSyncThatMovesIsNotStuck) {
  ReplicaPeer peer = PeerIn(State::kStreaming);
  (void)peer.On(PeerBlocked{kNow});
  (void)peer.On(PeerTaken{1});
  EXPECT_THAT(peer.On(PeerSecond{kNow + 600'000, kTimeoutS}), IsEmpty());
}

TEST(ReplicaPeerTest, OffsetsOnlyGrow) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  (void)peer.On(PeerAck{{.acked = true, .ack = 100, .fack = 90}, kNow});
  (void)peer.On(PeerAck{{.acked = true, .ack = 50, .fack = 40}, kNow});
  EXPECT_EQ(peer.ack(), 100);
  EXPECT_EQ(peer.fack(), 90);
}

TEST(ReplicaPeerTest, ALogsErrorSaysWhatTheReplicaDid) {
  EXPECT_THAT(
      Lines(PeerIn(State::kOnline).On(PeerCommand{"get", true, "", "id=7 addr=x"})),
      ElementsAre("Replica generated a reply to command 'get', disconnecting it: id=7 addr=x",
                  "== CRITICAL == This master is sending an error to its replica: 'Replica can't "
                  "interact with the keyspace' after processing the command 'get'",
                  kLostLine));
  EXPECT_THAT(
      Lines(PeerIn(State::kOnline).On(PeerCommand{"", false, "unknown command 'x'", "id=7"})),
      ElementsAre("Replica generated a reply to command '<unknown>', disconnecting it: id=7",
                  "== CRITICAL == This master is sending an error to its replica: 'unknown command "
                  "'x'' after processing the command '<unknown>'",
                  kLostLine));
}

TEST(ReplicaPeerTest, ALongErrorIsCutInTheLog) {
  const std::string error(10'000, 'x');
  const auto lines = Lines(PeerIn(State::kOnline).On(PeerCommand{"ping", false, error, ""}));
  EXPECT_THAT(lines[1], testing::HasSubstr("'" + std::string(4096, 'x') + "' after"));
}

TEST(ReplicaPeerTest, AReplicaOverItsLimitIsLoggedWithTheReason) {
  EXPECT_THAT(Lines(PeerIn(State::kOnline).On(PeerOverLimit{"id=7", "5 GB wait"})),
              ElementsAre("Client id=7 scheduled to be closed ASAP for overcoming of output buffer "
                          "limits.",
                          "5 GB wait", kLostLine));
  EXPECT_EQ(Lines(PeerIn(State::kOnline).On(PeerOverLimit{"id=7", ""})).size(), 2u);
}

// When the stream is sent.

TEST(ReplicaPeerTest, FewBytesGatherForAMillisecond) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  EXPECT_THAT(peer.On(PeerPublished{510, false, 100}),
              ElementsAre(PeerAction{.kind = Kind::kSendLater, .at_us = 1100}));
  EXPECT_THAT(peer.On(PeerPublished{520, false, 600}), IsEmpty()) << "the same time holds";
  EXPECT_EQ(Kinds(peer.On(PeerPublished{520, false, 1100})), std::vector{Kind::kSendStream});
}

TEST(ReplicaPeerTest, ManyBytesAreSentAtOnce) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  EXPECT_EQ(Kinds(peer.On(PeerPublished{500 + ReplicaPeer::kGatherBytes - 1, false, 0})),
            std::vector{Kind::kSendLater});
  EXPECT_EQ(Kinds(peer.On(PeerPublished{500 + ReplicaPeer::kGatherBytes, false, 1})),
            std::vector{Kind::kSendStream});
}

TEST(ReplicaPeerTest, BytesThatSomebodyWaitsForAreSentAtOnce) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  EXPECT_EQ(Kinds(peer.On(PeerPublished{501, true, 0})), std::vector{Kind::kSendStream});
}

TEST(ReplicaPeerTest, NothingIsSentThatTheSocketHasTaken) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  (void)peer.On(PeerTaken{20});
  EXPECT_EQ(peer.cursor(), 520);
  EXPECT_THAT(peer.On(PeerPublished{520, true, 0}), IsEmpty());
  EXPECT_EQ(peer.On(PeerPublished{521, true, 0}).size(), 1u);
}

TEST(ReplicaPeerTest, BytesOfTheRdbDoNotMoveTheCursor) {
  ReplicaPeer peer = PeerIn(State::kStreaming);
  (void)peer.On(PeerTaken{20});
  EXPECT_EQ(peer.cursor(), kInstant);
}

// What INFO shows.

TEST(ReplicaPeerTest, StatesHaveTheirNamesInInfo) {
  const std::array names = {
      "", "wait_bgsave", "wait_bgsave", "send_bulk", "wait_bgsave", "online", "online", ""};
  for (size_t i = 0; i < kStates.size(); ++i)
    EXPECT_EQ(PeerIn(kStates[i]).state_name(), names[i]) << i;
}

TEST(ReplicaPeerTest, InfoShowsOffsetAndLag) {
  ReplicaPeer peer = PeerIn(State::kOnline);
  (void)peer.On(Ack(600, kNow + 1000));
  EXPECT_EQ(peer.InfoLine(0, kNow + 3500),
            "slave0:ip=10.0.0.2,port=6380,state=online,offset=600,lag=2");
}

TEST(ReplicaPeerTest, OnlyOnlineReplicasLag) {
  EXPECT_EQ(PeerIn(State::kStreaming).InfoLine(3, kNow * 5),
            "slave3:ip=10.0.0.2,port=6380,state=wait_bgsave,offset=0,lag=0");
  EXPECT_EQ(PeerIn(State::kAwaitAck).LagS(kNow + 5000), 5);
}

}  // namespace
}  // namespace cloakroom
