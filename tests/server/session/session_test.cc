#include "server/session/session.h"

#include <algorithm>

#include "storage/hold.h"
#include "tests/server/support/output_text.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// Bytes in, replies out, without a socket.
class SessionTest : public ServerTest {
 protected:
  SessionTest() : client_(std::make_shared<Client>(server_.clients().NextId(), now_ms())) {
    client_->authenticated = true;
    session_ = std::make_unique<Session>(executor_, client_);
  }

  /// Hands bytes over as a connection does: what was not consumed comes again.
  std::string Send(std::string_view bytes) {
    kept_.append(bytes);
    OutputBuffer out;
    next_ = session_->Consume(std::span<char>(kept_.data(), kept_.size()), out);
    kept_.erase(0, session_->consumed());
    return TakeText(out);
  }
  std::string Resume() {
    OutputBuffer out;
    next_ = session_->Resume(out);
    return TakeText(out);
  }

  /// Does the long work that the session waits for.
  std::string Finish() {
    OutputBuffer unused;
    ReplyWriter reply(unused, client_->resp);
    auto work = RunWork(session_->TakeWork(), reply);
    OutputBuffer out;
    next_ = session_->FinishWork(*work, out);
    return TakeText(out);
  }

  std::shared_ptr<Client> client_;
  std::unique_ptr<Session> session_;
  std::string kept_;
  Session::Next next_ = Session::Next::kRead;
};

constexpr std::string_view kSetA = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
constexpr std::string_view kGetA = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";

TEST_F(SessionTest, APipelineIsAnsweredInOrder) {
  EXPECT_EQ(Send(std::string(kSetA) + std::string(kGetA) + "PING\r\nGET b\r\n"),
            "+OK\r\n$1\r\n1\r\n+PONG\r\n$-1\r\n");
  EXPECT_EQ(next_, Session::Next::kRead);
  EXPECT_TRUE(kept_.empty());
}

TEST_F(SessionTest, ARequestMayDribbleInByteByByte) {
  std::string request = std::string(kSetA) + std::string(kGetA);
  std::string replies;
  for (char c : request) replies += Send(std::string_view(&c, 1));
  EXPECT_EQ(replies, "+OK\r\n$1\r\n1\r\n");
}

TEST_F(SessionTest, APipelineLongerThanABatchIsAnsweredWhole) {
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";
  std::string replies = Send(requests);
  EXPECT_EQ(std::count(replies.begin(), replies.end(), ':'), 500);
  EXPECT_TRUE(replies.ends_with(":500\r\n"));
}

TEST_F(SessionTest, AProtocolErrorIsToldAfterTheRepliesBeforeItAndEndsTheConnection) {
  EXPECT_EQ(Send("PING\r\n*1\r\n!4\r\nPING\r\n"),
            "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_EQ(next_, Session::Next::kClose);
}

TEST_F(SessionTest, QuitAnswersAndLeavesTheRestUnread) {
  EXPECT_EQ(Send("QUIT\r\nPING\r\n"), "+OK\r\n");
  EXPECT_EQ(next_, Session::Next::kClose);
}

TEST_F(SessionTest, AStrangerMaySendOnlySmallRequests) {
  client_->authenticated = false;
  EXPECT_EQ(Send("*100\r\n"), "-ERR Protocol error: unauthenticated multibulk length\r\n");
  EXPECT_EQ(next_, Session::Next::kClose);
}

TEST_F(SessionTest, WhatFollowsAuthInOnePipelineIsReadAsOfAKnownClient) {
  client_->authenticated = false;
  std::string many = "*12\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 11; ++i) many += "$1\r\na\r\n";
  std::string replies = Send("*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$1\r\nx\r\n" + many);
  EXPECT_TRUE(replies.starts_with("+OK\r\n*11\r\n")) << replies;
}

TEST_F(SessionTest, AClosedGateMakesTheRequestWaitAndTheRestWithIt) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  EXPECT_EQ(Send(std::string(kSetA) + "PING\r\n"), "");
  ASSERT_EQ(next_, Session::Next::kGate);
  EXPECT_EQ(session_->gate(), &server_.keyspace().db(0).gate());
  EXPECT_TRUE(client_->blocked);
  hold.Release();
  EXPECT_EQ(Resume(), "+OK\r\n");
  EXPECT_EQ(next_, Session::Next::kRead);
  EXPECT_FALSE(client_->blocked);
  EXPECT_EQ(Send(""), "+PONG\r\n");
}

TEST_F(SessionTest, ARequestThatIsRefusedAgainGoesOnWaiting) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  Send(kGetA);
  EXPECT_EQ(Resume(), "");
  EXPECT_EQ(next_, Session::Next::kGate);
  hold.Release();
  EXPECT_EQ(Resume(), "$-1\r\n");
}

TEST_F(SessionTest, ThePauseHoldsWritesBackAndLetsReadsThrough) {
  server_.pause().Begin(now_ms() + 100, /*all=*/false);
  EXPECT_EQ(Send(std::string(kGetA) + std::string(kSetA)), "$-1\r\n");
  ASSERT_EQ(next_, Session::Next::kPause);
  EXPECT_EQ(session_->pause_until_ms(), now_ms() + 100);
  Advance(100);
  EXPECT_EQ(Resume(), "+OK\r\n");
}

TEST_F(SessionTest, WhoIsRefusedForAMillisecondGetsATicketUntilItsTurn) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  Send(kGetA);
  EXPECT_FALSE(session_->queued());
  EXPECT_EQ(Resume(), "");
  EXPECT_FALSE(session_->queued());
  Advance(1);
  EXPECT_EQ(Resume(), "");
  EXPECT_TRUE(session_->queued());
  hold.Release();
  EXPECT_EQ(Resume(), "$-1\r\n");
  EXPECT_FALSE(session_->queued());
}

TEST_F(SessionTest, LongWorkIsFinishedElsewhereBeforeTheNextRequest) {
  EXPECT_EQ(Send("MEMORY PURGE\r\nPING\r\n"), "");
  ASSERT_EQ(next_, Session::Next::kWork);
  EXPECT_EQ(Finish(), "+OK\r\n");
  EXPECT_EQ(Send(""), "+PONG\r\n");
}

TEST_F(SessionTest, ASkippedReplyOfLongWorkIsDroppedAndTheNextOneIsHeard) {
  EXPECT_EQ(Send("CLIENT REPLY SKIP\r\nMEMORY PURGE\r\n"), "");
  ASSERT_EQ(next_, Session::Next::kWork);
  EXPECT_EQ(Finish(), "");
  EXPECT_EQ(Send("PING\r\n"), "+PONG\r\n");
}

TEST_F(SessionTest, ASessionThatEndsForgetsWhatItWatched) {
  Send("WATCH a\r\n");
  ASSERT_FALSE(client_->watched.empty());
  session_.reset();
  EXPECT_TRUE(client_->watched.empty());
  EXPECT_EQ(Run("SET a 2"), "+OK\r\n");
}

TEST_F(SessionTest, EveryRequestIsCountedForTheClient) {
  Send("PING\r\nNOSUCH\r\n");
  EXPECT_EQ(client_->commands, 2);
  EXPECT_EQ(client_->last_command, nullptr);
}

}  // namespace
}  // namespace cloakroom
