#include "server/net/conversation.h"

#include <algorithm>

#include "server/context/pause.h"
#include "server/persistence/persistence.h"
#include "server/session/client_registry.h"
#include "storage/keyspace/hold.h"
#include "tests/server/support/output_text.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// A conversation without a socket: bytes in, replies out.
class ConversationTest : public ServerTest {
 protected:
  ConversationTest() : client_(std::make_shared<Client>(server_.clients().NextId(), now_ms())) {
    client_->authenticated = true;
    conversation_ = std::make_unique<Conversation>(executor_, client_);
  }

  /// Hands bytes over as a connection does, in as many turns as it takes; bytes that were not
  /// consumed come again.
  std::string Send(std::string_view bytes) {
    kept_.append(bytes);
    std::string replies = TakeTurn();
    while (next_ == Conversation::Next::kTurn) replies += TakeTurn();
    return replies;
  }
  std::string TakeTurn(const Conversation::Turn& turn = {}) {
    OutputBuffer out;
    executor_.BeginBatch();
    next_ = conversation_->Consume(std::span<char>(kept_.data(), kept_.size()), out, turn);
    kept_.erase(0, conversation_->consumed());
    return TakeText(out);
  }
  std::string Resume() {
    OutputBuffer out;
    next_ = conversation_->Resume(out);
    return TakeText(out);
  }

  /// Does the long work that the conversation waits for.
  std::string Finish() {
    OutputBuffer unused;
    ReplyWriter reply(unused, client_->resp);
    auto work = RunWork(conversation_->TakeLongWork(), reply);
    OutputBuffer out;
    next_ = conversation_->FinishLongWork(*work, out);
    return TakeText(out);
  }

  std::shared_ptr<Client> client_;
  std::unique_ptr<Conversation> conversation_;
  std::string kept_;
  Conversation::Next next_ = Conversation::Next::kRead;
};

constexpr std::string_view kSetA = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
constexpr std::string_view kGetA = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
constexpr std::string_view kIncrN = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";

TEST_F(ConversationTest, APipelineIsAnsweredInOrder) {
  EXPECT_EQ(Send(std::string(kSetA) + std::string(kGetA) + "PING\r\nGET b\r\n"),
            "+OK\r\n$1\r\n1\r\n+PONG\r\n$-1\r\n");
  EXPECT_EQ(next_, Conversation::Next::kRead);
  EXPECT_TRUE(kept_.empty());
}

TEST_F(ConversationTest, ARequestMayDribbleInByteByByte) {
  std::string request = std::string(kSetA) + std::string(kGetA);
  std::string replies;
  for (char c : request) replies += Send(std::string_view(&c, 1));
  EXPECT_EQ(replies, "+OK\r\n$1\r\n1\r\n");
}

TEST_F(ConversationTest, APipelineLongerThanABatchIsAnsweredWhole) {
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";
  std::string replies = Send(requests);
  EXPECT_EQ(std::count(replies.begin(), replies.end(), ':'), 500);
  EXPECT_TRUE(replies.ends_with(":500\r\n"));
}

TEST_F(ConversationTest, AProtocolErrorIsToldAfterTheRepliesBeforeItAndEndsTheConnection) {
  EXPECT_EQ(Send("PING\r\n*1\r\n!4\r\nPING\r\n"),
            "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_EQ(next_, Conversation::Next::kClose);
}

TEST_F(ConversationTest, QuitAnswersAndLeavesTheRestUnread) {
  EXPECT_EQ(Send("QUIT\r\nPING\r\n"), "+OK\r\n");
  EXPECT_EQ(next_, Conversation::Next::kClose);
}

TEST_F(ConversationTest, AStrangerMaySendOnlySmallRequests) {
  client_->authenticated = false;
  EXPECT_EQ(Send("*100\r\n"), "-ERR Protocol error: unauthenticated multibulk length\r\n");
  EXPECT_EQ(next_, Conversation::Next::kClose);
}

TEST_F(ConversationTest, WhatFollowsAuthInOnePipelineIsReadAsOfAKnownClient) {
  client_->authenticated = false;
  std::string many = "*12\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 11; ++i) many += "$1\r\na\r\n";
  std::string replies = Send("*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$1\r\nx\r\n" + many);
  EXPECT_TRUE(replies.starts_with("+OK\r\n*11\r\n")) << replies;
}

TEST_F(ConversationTest, AClosedGateMakesTheRequestWaitAndTheRestWithIt) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  EXPECT_EQ(Send(std::string(kSetA) + "PING\r\n"), "");
  ASSERT_EQ(next_, Conversation::Next::kGate);
  EXPECT_EQ(conversation_->gate(), &server_.keyspace().db(0).gate());
  EXPECT_TRUE(client_->blocked);
  hold.Release();
  EXPECT_EQ(Resume(), "+OK\r\n");
  EXPECT_EQ(next_, Conversation::Next::kRead);
  EXPECT_FALSE(client_->blocked);
  EXPECT_EQ(Send(""), "+PONG\r\n");
}

TEST_F(ConversationTest, WhoWaitsAtAGateBehindWhichALoadBeginsIsToldLoading) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  Send(kGetA);
  ASSERT_EQ(next_, Conversation::Next::kGate);
  bool woken = false;
  conversation_->gate()->WhenOpen(conversation_->wish(), [&] { woken = true; });
  server_.persistence().loader().Begin();
  server_.keyspace().db(0).gate().SetLoading();
  EXPECT_TRUE(woken);
  EXPECT_EQ(Resume(), "-LOADING Redis is loading the dataset in memory\r\n");
}

TEST_F(ConversationTest, ARequestThatIsRefusedAgainGoesOnWaiting) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  Send(kGetA);
  EXPECT_EQ(Resume(), "");
  EXPECT_EQ(next_, Conversation::Next::kGate);
  hold.Release();
  EXPECT_EQ(Resume(), "$-1\r\n");
}

TEST_F(ConversationTest, ThePauseHoldsWritesBackAndLetsReadsThrough) {
  server_.pause().Begin(now_ms() + 100, /*all=*/false);
  EXPECT_EQ(Send(std::string(kGetA) + std::string(kSetA)), "$-1\r\n");
  ASSERT_EQ(next_, Conversation::Next::kPause);
  EXPECT_EQ(conversation_->pause_until_ms(), now_ms() + 100);
  Advance(100);
  EXPECT_EQ(Resume(), "+OK\r\n");
}

TEST_F(ConversationTest, WhoIsRefusedForAMillisecondGetsATicketUntilItsTurn) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndClose(server_.keyspace().db(0));
  Send(kGetA);
  EXPECT_FALSE(conversation_->queued());
  EXPECT_EQ(Resume(), "");
  EXPECT_FALSE(conversation_->queued());
  Advance(1);
  EXPECT_EQ(Resume(), "");
  EXPECT_TRUE(conversation_->queued());
  hold.Release();
  EXPECT_EQ(Resume(), "$-1\r\n");
  EXPECT_FALSE(conversation_->queued());
}

TEST_F(ConversationTest, LongWorkIsFinishedElsewhereBeforeTheNextRequest) {
  EXPECT_EQ(Send("MEMORY PURGE\r\nPING\r\n"), "");
  ASSERT_EQ(next_, Conversation::Next::kLongWork);
  EXPECT_EQ(Finish(), "+OK\r\n");
  EXPECT_EQ(Send(""), "+PONG\r\n");
}

TEST_F(ConversationTest, ASkippedReplyOfLongWorkIsDroppedAndTheNextOneIsHeard) {
  EXPECT_EQ(Send("CLIENT REPLY SKIP\r\nMEMORY PURGE\r\n"), "");
  ASSERT_EQ(next_, Conversation::Next::kLongWork);
  EXPECT_EQ(Finish(), "");
  EXPECT_EQ(Send("PING\r\n"), "+PONG\r\n");
}

TEST_F(ConversationTest, AConversationThatEndsForgetsWhatItWatched) {
  Send("WATCH a\r\n");
  ASSERT_FALSE(client_->watched.empty());
  conversation_.reset();
  EXPECT_TRUE(client_->watched.empty());
  EXPECT_EQ(Run("SET a 2"), "+OK\r\n");
}

TEST_F(ConversationTest, ATurnEndsAfterSoManyRequestsAndTheNextGoesOnThere) {
  for (int i = 0; i < 7; ++i) kept_ += kIncrN;
  EXPECT_EQ(TakeTurn({.requests = 3}), ":1\r\n:2\r\n:3\r\n");
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(Run("GET n"), "$1\r\n3\r\n") << "others are served in between";
  EXPECT_EQ(TakeTurn({.requests = 3}), ":4\r\n:5\r\n:6\r\n");
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(TakeTurn({.requests = 3}), ":7\r\n");
  EXPECT_EQ(next_, Conversation::Next::kRead);
  EXPECT_TRUE(kept_.empty());
}

TEST_F(ConversationTest, ATurnThatIsJustEnoughIsNotFollowedByAnother) {
  kept_ = std::string(kIncrN) + std::string(kIncrN);
  EXPECT_EQ(TakeTurn({.requests = 2}), ":1\r\n:2\r\n");
  EXPECT_EQ(next_, Conversation::Next::kRead);
}

TEST_F(ConversationTest, ATurnEndsWithTheReplyThatReachesItsBytes) {
  Run({"SET", "big", std::string(1000, 'x')});
  kept_ = "GET big\r\nGET big\r\n";
  for (int i = 0; i < 5; ++i) kept_ += "*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n";
  const std::string reply = "$1000\r\n" + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(TakeTurn({.reply_bytes = 1500}), reply + reply);
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(TakeTurn({.reply_bytes = 1}), reply) << "one request at least";
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(TakeTurn({.reply_bytes = 0}), reply);
  EXPECT_EQ(Send("").size(), 3 * reply.size());
  EXPECT_EQ(next_, Conversation::Next::kRead);
}

TEST_F(ConversationTest, ATurnEndsWhenItsTimeIsOver) {
  clock_.step_us = 400;  // per reading of the clock, and so per request
  for (int i = 0; i < 10; ++i) kept_ += kIncrN;
  const std::string replies = TakeTurn({.time_us = 1000});
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_GE(std::count(replies.begin(), replies.end(), ':'), 1);
  EXPECT_LE(std::count(replies.begin(), replies.end(), ':'), 3);
  EXPECT_TRUE(Send("").ends_with(":10\r\n"));
}

TEST_F(ConversationTest, ATransactionIsOneRequestAndStaysWhole) {
  kept_ = "MULTI\r\n";
  for (int i = 0; i < 5; ++i) kept_ += "INCR n\r\n";
  kept_ += "EXEC\r\nPING\r\n";
  EXPECT_EQ(TakeTurn({.requests = 6}).substr(0, 5), "+OK\r\n");
  EXPECT_EQ(TakeTurn({.requests = 1, .reply_bytes = 1}), "*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n");
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(Send(""), "+PONG\r\n");
}

TEST_F(ConversationTest, RequestsThatAreRefusedUseTheTurnUpToo) {
  for (int i = 0; i < 5; ++i) kept_ += "*1\r\n$6\r\nNOSUCH\r\n";
  EXPECT_EQ(TakeTurn({.requests = 2}).find("unknown"), 5U);
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(client_->commands, 2);
}

TEST_F(ConversationTest, WhatComesAfterAuthInAnotherTurnIsReadAsOfAKnownClient) {
  client_->authenticated = false;
  kept_ = "*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$1\r\nx\r\n*12\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 11; ++i) kept_ += "$1\r\na\r\n";
  EXPECT_EQ(TakeTurn({.requests = 1}), "+OK\r\n");
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_TRUE(TakeTurn({.requests = 1}).starts_with("*11\r\n"));
}

TEST_F(ConversationTest, ASkippedReplyStaysSkippedAcrossTurns) {
  kept_ = "CLIENT REPLY SKIP\r\nINCR n\r\nINCR n\r\n";
  EXPECT_EQ(TakeTurn({.requests = 1}), "");
  EXPECT_EQ(TakeTurn({.requests = 1}), "");
  EXPECT_EQ(TakeTurn({.requests = 1}), ":2\r\n");
}

TEST_F(ConversationTest, AProtocolErrorBehindTheTurnIsToldInItsOwn) {
  kept_ = std::string(kIncrN) + std::string(kIncrN) + "*1\r\n!4\r\nPING\r\n";
  EXPECT_EQ(TakeTurn({.requests = 1}), ":1\r\n");
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(TakeTurn({.requests = 9}), ":2\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_EQ(next_, Conversation::Next::kClose);
}

TEST_F(ConversationTest, QuitBehindTheTurnClosesInItsOwn) {
  kept_ = "PING\r\nQUIT\r\nPING\r\n";
  EXPECT_EQ(TakeTurn({.requests = 1}), "+PONG\r\n");
  EXPECT_EQ(TakeTurn({.requests = 1}), "+OK\r\n");
  EXPECT_EQ(next_, Conversation::Next::kClose);
}

TEST_F(ConversationTest, ARequestThatHasNotComeInWholeIsReadOnAfterATurn) {
  kept_ = std::string(kIncrN) + std::string(kIncrN.substr(0, 10));
  EXPECT_EQ(TakeTurn({.requests = 1}), ":1\r\n");
  EXPECT_EQ(Send(kIncrN.substr(10)), ":2\r\n");
}

// ---- requests that were parsed ahead, with those of other clients

class BegunTest : public ConversationTest {
 protected:
  void Begin(std::string_view bytes) {
    kept_ = bytes;
    batch_.Clear();
    conversation_->Begin(std::span<char>(kept_.data(), kept_.size()), batch_);
    executor_.Prepare(batch_);
  }
  Batch batch_;
};

TEST_F(BegunTest, WhatWasParsedAheadIsExecutedInItsTurn) {
  Begin(std::string(kSetA) + std::string(kGetA) + std::string(kIncrN.substr(0, 10)));
  EXPECT_EQ(batch_.size(), 2U);
  EXPECT_EQ(Run("GET a"), "$-1\r\n") << "nothing is executed ahead";
  EXPECT_EQ(TakeTurn(), "+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(Send(kIncrN.substr(10)), ":1\r\n");
}

TEST_F(BegunTest, APipelineGoesOnBehindWhatWasParsedAhead) {
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += kIncrN;
  Begin(requests);
  EXPECT_LT(batch_.size(), 100U);
  const std::string replies = TakeTurn();
  EXPECT_EQ(std::count(replies.begin(), replies.end(), ':'), 100);
  EXPECT_TRUE(kept_.empty());
}

TEST_F(BegunTest, TheBoundsOfATurnHoldForWhatWasParsedAhead) {
  Begin(std::string(kIncrN) + std::string(kIncrN) + std::string(kIncrN));
  EXPECT_EQ(TakeTurn({.requests = 2}), ":1\r\n:2\r\n");
  EXPECT_EQ(next_, Conversation::Next::kTurn);
  EXPECT_EQ(TakeTurn(), ":3\r\n");
}

TEST_F(BegunTest, AProtocolErrorIsToldBehindWhatWasParsedAhead) {
  Begin(std::string(kIncrN) + "*1\r\n!4\r\n");
  EXPECT_EQ(TakeTurn(), ":1\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_EQ(next_, Conversation::Next::kClose);
}

TEST_F(BegunTest, InlineRequestsAndWhatFollowsThemAreNotParsedAhead) {
  Begin("ECHO \"a\\x41\"\r\n" + std::string(kIncrN));
  EXPECT_EQ(batch_.size(), 0U);
  EXPECT_EQ(TakeTurn(), "$2\r\naA\r\n:1\r\n");
  Begin(std::string(kIncrN) + "ECHO \"a\\x41\"\r\n");
  EXPECT_EQ(batch_.size(), 1U);
  conversation_->ParseAgain();
  EXPECT_EQ(TakeTurn(), ":2\r\n$2\r\naA\r\n");
}

TEST_F(BegunTest, AStrangersRequestsAreNotParsedAhead) {
  client_->authenticated = false;
  Begin("*3\r\n$4\r\nAUTH\r\n$7\r\ndefault\r\n$1\r\nx\r\n" + std::string(kIncrN));
  EXPECT_EQ(batch_.size(), 0U);
  EXPECT_EQ(TakeTurn(), "+OK\r\n:1\r\n");
}

TEST_F(BegunTest, WhatIsPutBackIsParsedAgain) {
  const std::string whole = std::string(kIncrN) + std::string(kIncrN);
  Begin(whole + std::string(kIncrN.substr(0, 12)));
  conversation_->ParseAgain();
  batch_.Clear();
  EXPECT_EQ(TakeTurn(), ":1\r\n:2\r\n");
  EXPECT_EQ(Send(kIncrN.substr(12)), ":3\r\n");
}

TEST_F(BegunTest, SeveralClientsShareABatch) {
  auto other_client = std::make_shared<Client>(server_.clients().NextId(), now_ms());
  other_client->authenticated = true;
  other_client->db = 1;
  Conversation other(executor_, other_client);
  std::string bytes = std::string(kSetA) + std::string(kGetA);
  kept_ = std::string(kGetA) + std::string(kIncrN);
  other.Begin(std::span<char>(bytes.data(), bytes.size()), batch_);
  conversation_->Begin(std::span<char>(kept_.data(), kept_.size()), batch_);
  EXPECT_EQ(batch_.size(), 4U);
  executor_.Prepare(batch_);
  OutputBuffer out;
  executor_.BeginBatch();
  EXPECT_EQ(other.Consume(std::span<char>(bytes.data(), bytes.size()), out, {}),
            Conversation::Next::kRead);
  EXPECT_EQ(TakeText(out), "+OK\r\n$1\r\n1\r\n");
  EXPECT_EQ(TakeTurn(), "$-1\r\n:1\r\n");
}

TEST_F(ConversationTest, EveryRequestIsCountedForTheClient) {
  Send("PING\r\nNOSUCH\r\n");
  EXPECT_EQ(client_->commands, 2);
  EXPECT_EQ(client_->last_command, nullptr);
}

}  // namespace
}  // namespace cloakroom
