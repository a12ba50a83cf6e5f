// The primary's bytes may be cut anywhere: the link's actions and what it passes on are the same.

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/replication/support/link_owner.h"

namespace cloakroom {
namespace {

const std::string kId(40, 'a');
const std::string kOtherId(40, 'b');
const std::string kMark = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
const std::string kPing = "*1\r\n$4\r\nPING\r\n";
const std::string kOk = "+OK\r\n";

/// Bytes from the primary, then something that happens to the link.
struct Step {
  std::string bytes;
  std::function<void(LinkOwner&)> event = [](LinkOwner&) {};
};
using Conversation = std::vector<Step>;

void Load(LinkOwner& owner) {
  owner.Do(owner.link.LoadDone(owner.now_ms));
  owner.ReadKept();
}

void Lose(LinkOwner& owner) {
  owner.now_ms += 2000;
  owner.Do(owner.link.ConnectionLost("", owner.now_ms));
  owner.Do(owner.link.Resolved(owner.attempt, absl::OkStatus(), owner.now_ms));
  owner.Do(owner.link.Connected(owner.attempt, absl::OkStatus(), owner.now_ms));
}

struct Outcome {
  std::vector<std::string> trace;
  std::string data;
  std::string stream;
  PrimaryLink::State state;
  bool operator==(const Outcome&) const = default;
};

class Player {
 public:
  Player(const PrimaryLinkSettings& settings, bool cached) : owner_(settings) {
    std::optional<HistoryPoint> point;
    if (cached) point = HistoryPoint{*ReplicationId::Parse(kId), 10};
    owner_.Do(owner_.link.Start({"host", 1}, point, false, owner_.now_ms));
    owner_.Do(owner_.link.Resolved(owner_.attempt, absl::OkStatus(), owner_.now_ms));
    owner_.Do(owner_.link.Connected(owner_.attempt, absl::OkStatus(), owner_.now_ms));
  }

  /// Cuts all bytes of the conversation at `cut`, and besides that into pieces of `most`.
  Outcome Play(const Conversation& conversation, size_t cut, size_t most) {
    size_t done = 0;
    for (const Step& step : conversation) {
      for (std::string_view rest = step.bytes; !rest.empty();) {
        size_t count = std::min(rest.size(), most);
        if (done < cut) count = std::min(count, cut - done);
        owner_.Read(rest.substr(0, count));
        rest.remove_prefix(count);
        done += count;
      }
      step.event(owner_);
    }
    return {owner_.TakeTrace(), owner_.data.text(), owner_.stream, owner_.link.state()};
  }

 private:
  LinkOwner owner_;
};

/// Plays it whole, cut at every byte, and byte by byte; the trace of the first.
Outcome PlayAtEveryCut(const Conversation& conversation, const PrimaryLinkSettings& settings = {},
                       bool cached = false) {
  constexpr size_t kWhole = std::numeric_limits<size_t>::max();
  const Outcome whole = Player(settings, cached).Play(conversation, 0, kWhole);
  size_t size = 0;
  for (const Step& step : conversation) size += step.bytes.size();
  for (size_t cut = 1; cut < size; cut++) {
    EXPECT_EQ(Player(settings, cached).Play(conversation, cut, kWhole), whole) << "cut at " << cut;
  }
  EXPECT_EQ(Player(settings, cached).Play(conversation, 0, 1), whole) << "byte by byte";
  return whole;
}

TEST(PrimaryLinkCutsTest, AFullSyncByLengthWithKeepAlives) {
  const Outcome outcome = PlayAtEveryCut({{"+PONG\r\n"},
                                          {kOk + kOk},
                                          {"\n\n+FULLRESYNC " + kId + " 100\r\n\n\n$9\r\nREDIS"},
                                          {"0009" + kPing, Load},
                                          {kPing}});
  EXPECT_EQ(outcome.data, "REDIS0009");
  EXPECT_EQ(outcome.stream, kPing + kPing);
  EXPECT_EQ(outcome.state, PrimaryLink::State::kConnected);
}

TEST(PrimaryLinkCutsTest, AFullSyncByMarkWithTheStreamBehindIt) {
  for (SyncLoad load : {SyncLoad::kDisk, SyncLoad::kInPlace, SyncLoad::kSwap}) {
    const Outcome outcome =
        PlayAtEveryCut({{"+PONG\r\n" + kOk + kOk + "+FULLRESYNC " + kId + " 100\r\n$EOF:" + kMark +
                             "\r\nREDIS" + kMark.substr(0, 20) + kMark + kPing,
                         Load}},
                       {.load = load});
    EXPECT_EQ(outcome.data, "REDIS" + kMark.substr(0, 20));
    EXPECT_EQ(outcome.stream, kPing);
    EXPECT_EQ(outcome.state, PrimaryLink::State::kConnected);
  }
}

TEST(PrimaryLinkCutsTest, APartialSyncWithTheStreamBehindIt) {
  const Outcome outcome = PlayAtEveryCut(
      {{"+PONG\r\n" + kOk + kOk + "\n+CONTINUE " + kOtherId + "\r\n" + kPing}}, {}, true);
  EXPECT_EQ(outcome.stream, kPing);
  EXPECT_EQ(outcome.state, PrimaryLink::State::kConnected);
}

TEST(PrimaryLinkCutsTest, ALossAndAPartialSync) {
  const Outcome outcome =
      PlayAtEveryCut({{"+PONG\r\n" + kOk + kOk + "+CONTINUE\r\n" + kPing, Lose},
                      {"+PONG\r\n" + kOk + kOk + "+CONTINUE " + kId + "\r\n" + kPing, Lose},
                      {"+PONG\r\n" + kOk + kOk + "+FULLRESYNC " + kId + " 5\r\n$3\r\nabc", Load},
                      {kPing}},
                     {}, true);
  EXPECT_EQ(outcome.data, "abc");
  EXPECT_EQ(outcome.stream, kPing + kPing + kPing);
}

TEST(PrimaryLinkCutsTest, AuthAndRefusedOptionsAndSync) {
  const Outcome outcome = PlayAtEveryCut({{"-NOAUTH x\r\n"},
                                          {kOk + "-ERR a\r\n-ERR b\r\n-ERR c\r\n"},
                                          {"\n-ERR unknown command 'PSYNC'\r\n"},
                                          {"\n$4\r\nabcd" + kPing, Load}},
                                         {.user = "u", .password = "p", .announced_ip = "1.2.3.4"});
  EXPECT_EQ(outcome.stream, kPing);
}

TEST(PrimaryLinkCutsTest, RefusalsInEveryPlace) {
  const std::string to_psync = "+PONG\r\n" + kOk + kOk;
  const std::string to_header = to_psync + "+FULLRESYNC " + kId + " 100\r\n";
  for (const std::string& bytes :
       {std::string("-ERR x\r\n" + kPing), to_psync + "-NOMASTERLINK x\r\n" + kPing,
        to_psync + "-LOADING x\r\nabc", to_psync + "+FULLRESYNC x\r\n",
        to_psync + "+CONTINUE\r\n" + kPing, to_header + "-ERR x\r\nabc",
        to_header + "garbage\r\nabc", to_header + std::string(1100, '$')}) {
    const Outcome outcome = PlayAtEveryCut({{bytes}});
    EXPECT_EQ(outcome.state, PrimaryLink::State::kConnect);
    EXPECT_EQ(outcome.stream, "");
  }
}

/// As Lose(); a link that failed in the handshake waits for the next second.
void LoseAndTick(LinkOwner& owner) {
  owner.now_ms += 2000;
  owner.Do(owner.link.ConnectionLost("", owner.now_ms));
  owner.Do(owner.link.LoadDone(owner.now_ms));
  owner.Do(owner.link.Tick(owner.now_ms));
  owner.Do(owner.link.Resolved(owner.attempt, absl::OkStatus(), owner.now_ms));
  owner.Do(owner.link.Connected(owner.attempt, absl::OkStatus(), owner.now_ms));
}

TEST(PrimaryLinkCutsTest, ALossAfterEveryByteIsMadeGood) {
  const std::string handshake = "+PONG\r\n" + kOk + kOk;
  const std::string sync = "\n+FULLRESYNC " + kId + " 100\r\n\n$EOF:" + kMark + "\r\nREDIS" + kMark;
  const std::string bytes = handshake + sync;
  for (size_t cut = 0; cut <= bytes.size(); cut++) {
    // What was whole before the loss is loaded, although the link is lost, and need not come again.
    const bool whole = cut == bytes.size();
    const Outcome outcome =
        Player({}, false).Play({{bytes.substr(0, cut), LoseAndTick},
                                {handshake + (whole ? "+CONTINUE\r\n" : sync), Load},
                                {kPing}},
                               0, 1000);
    EXPECT_EQ(outcome.state, PrimaryLink::State::kConnected) << cut;
    EXPECT_EQ(outcome.stream, kPing) << cut;
    EXPECT_TRUE(outcome.data.ends_with("REDIS")) << cut;
  }
}

}  // namespace
}  // namespace cloakroom
