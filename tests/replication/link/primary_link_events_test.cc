// Every event in every state: what fits leads on, all else changes nothing.

#include <gtest/gtest.h>

#include <functional>

#include "tests/replication/support/link_owner.h"

namespace cloakroom {
namespace {

const std::string kId(40, 'a');

// The states by a letter each: off, Waiting to connect, looking up the Name, Connecting, Ping,
// Replies, psYnc, Header, Transfer, Loading, Flowing.
constexpr std::string_view kStates = "-WNCPRYHTLF";

char LetterOf(const LinkOwner& owner, bool name_found) {
  switch (owner.link.state()) {
    case PrimaryLink::State::kOff:
      return '-';
    case PrimaryLink::State::kConnect:
      return 'W';
    case PrimaryLink::State::kConnecting:
      return name_found ? 'C' : 'N';
    case PrimaryLink::State::kPing:
      return 'P';
    case PrimaryLink::State::kReplies:
      return 'R';
    case PrimaryLink::State::kPsync:
      return 'Y';
    case PrimaryLink::State::kHeader:
      return 'H';
    case PrimaryLink::State::kTransfer:
      return 'T';
    case PrimaryLink::State::kLoading:
      return 'L';
    case PrimaryLink::State::kConnected:
      return 'F';
  }
  return '?';
}

void GoTo(LinkOwner& owner, char state) {
  const auto ok = absl::OkStatus();
  if (state == '-') return;
  owner.Do(owner.link.Start({"host", 1}, std::nullopt, false, owner.now_ms));
  if (state == 'N') return;
  if (state == 'W') {
    owner.Do(owner.link.Resolved(owner.attempt, absl::NotFoundError("x"), owner.now_ms));
    return;
  }
  owner.Do(owner.link.Resolved(owner.attempt, ok, owner.now_ms));
  if (state == 'C') return;
  owner.Do(owner.link.Connected(owner.attempt, ok, owner.now_ms));
  constexpr std::string_view kWithBytes = "PRYHTL";
  const std::string steps[] = {"+PONG\r\n", "+OK\r\n+OK\r\n", "+FULLRESYNC " + kId + " 100\r\n",
                               "$5\r\n", "REDIS"};
  for (size_t i = 0; i < std::size(steps) && state != kWithBytes[i]; i++) owner.Read(steps[i]);
  if (state == 'F') owner.Do(owner.link.LoadDone(owner.now_ms));
}

/// Where an event leads to from each of kStates, 100 ms after the state was reached.
struct Row {
  std::string_view name;
  std::string_view next;
  std::function<PrimaryLinkActions(LinkOwner&)> event;
};

const auto kOk = absl::OkStatus();
const auto kError = absl::UnavailableError("x");

PrimaryLinkActions TickAfter(LinkOwner& owner, int64_t ms) {
  return owner.link.Tick(owner.now_ms += ms);
}

const Row kRows[] = {
    // clang-format off
    {"the states",          "-WNCPRYHTLF", [](LinkOwner&) { return PrimaryLinkActions(); }},
    {"start",               "NNNNNNNNNNN", [](LinkOwner& o) {
       return o.link.Start({"other", 2}, std::nullopt, false, o.now_ms); }},
    {"stop",                "-----------", [](LinkOwner& o) { return o.link.Stop(); }},
    {"tick",                "-WNCPRYHTLF", [](LinkOwner& o) { return TickAfter(o, 1); }},
    {"a second's tick",     "-NNCPRYHTLF", [](LinkOwner& o) { return TickAfter(o, 1000); }},
    {"repl-timeout's tick", "-NNNNNNNNLN", [](LinkOwner& o) { return TickAfter(o, 60'001); }},
    {"found",               "-WCCPRYHTLF", [](LinkOwner& o) {
       return o.link.Resolved(o.attempt, kOk, o.now_ms); }},
    {"not found",           "-WWCPRYHTLF", [](LinkOwner& o) {
       return o.link.Resolved(o.attempt, kError, o.now_ms); }},
    {"connected",           "-WNPPRYHTLF", [](LinkOwner& o) {
       return o.link.Connected(o.attempt, kOk, o.now_ms); }},
    {"not connected",       "-WNWPRYHTLF", [](LinkOwner& o) {
       return o.link.Connected(o.attempt, kError, o.now_ms); }},
    {"lost",                "-WNWWWWWWLN", [](LinkOwner& o) {
       return o.link.ConnectionLost("", o.now_ms); }},
    {"an empty line",       "-WNCWRYHTLF", [](LinkOwner& o) {
       std::string_view bytes = "\n";
       return o.link.Receive(bytes, o.now_ms); }},
    {"half a line",         "-WNCPRYHTLF", [](LinkOwner& o) {
       std::string_view bytes = "-x";
       return o.link.Receive(bytes, o.now_ms); }},
    {"an error line",       "-WNCWRHWTLF", [](LinkOwner& o) {
       std::string_view bytes = "-x\r\n";
       return o.link.Receive(bytes, o.now_ms); }},
    {"transfer goes on",    "-WNCPRYHTLF", [](LinkOwner& o) {
       return o.link.TransferReceived(1, false, o.now_ms); }},
    {"transfer ends",       "-WNCPRYHLLF", [](LinkOwner& o) {
       return o.link.TransferReceived(5, true, o.now_ms); }},
    {"transfer failed",     "-WNCPRYHWWF", [](LinkOwner& o) {
       return o.link.TransferFailed(kError, o.now_ms); }},
    {"load done",           "-WNCPRYHTFF", [](LinkOwner& o) {
       return o.link.LoadDone(o.now_ms); }},
    {"load failed",         "-WNCPRYHTWF", [](LinkOwner& o) {
       return o.link.LoadFailed(kError, o.now_ms); }},
    {"stream",              "-WNCPRYHTLF", [](LinkOwner& o) {
       o.link.StreamReceived(o.now_ms);
       return PrimaryLinkActions(); }},
    {"stream broken",       "-WNCPRYHTLW", [](LinkOwner& o) {
       return o.link.StreamBroken(kError, o.now_ms); }},
    {"getack",              "-WNCPRYHTLF", [](LinkOwner& o) { return o.link.AnswerGetAck(); }},
    // clang-format on
};

TEST(PrimaryLinkEventsTest, EveryEventInEveryState) {
  for (const Row& row : kRows) {
    ASSERT_EQ(row.next.size(), kStates.size()) << row.name;
    for (size_t i = 0; i < kStates.size(); i++) {
      LinkOwner owner;
      GoTo(owner, kStates[i]);
      owner.now_ms += 100;
      bool name_found = kStates[i] == 'C';
      for (const PrimaryLinkAction& action : row.event(owner)) {
        if (std::holds_alternative<link_action::Connect>(action)) name_found = true;
        if (std::holds_alternative<link_action::Resolve>(action)) name_found = false;
      }
      EXPECT_EQ(LetterOf(owner, name_found), row.next[i]) << row.name << " in state " << kStates[i];
    }
  }
}

TEST(PrimaryLinkEventsTest, AStateIsLeftWithNothingLeftOpen) {
  for (char state : kStates) {
    LinkOwner owner;
    GoTo(owner, state);
    owner.Do(owner.link.Stop());
    int sockets = 0;
    int transfers = 0;
    int streams = 0;
    for (const std::string& line : owner.TakeTrace()) {
      sockets += (line == "connect") - (line == "close");
      transfers += line.starts_with("receive ") - (line == "discard" || line.starts_with("synced"));
      streams += line.starts_with("synced") - (line == "stream ended");
    }
    EXPECT_EQ(sockets, 0) << state;
    EXPECT_EQ(transfers, 0) << state;
    EXPECT_EQ(streams, 0) << state;
  }
}

TEST(PrimaryLinkEventsTest, WhatFitsNoStateDoesNothing) {
  LinkOwner owner;
  for (const Row& row : kRows) {
    if (row.name == "start") continue;
    EXPECT_TRUE(row.event(owner).empty()) << row.name;
  }
}

}  // namespace
}  // namespace cloakroom
