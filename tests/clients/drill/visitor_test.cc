#include "clients/drill/visitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/clients/support/scripted_server.h"
#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A server with one session, at which the test may turn.
class SessionServer {
 public:
  SessionServer() : server_([this](const std::string& request) { return Reply(request); }) {}

  ScriptedServer& server() { return server_; }
  std::string data() {
    const MutexLock lock(mutex_);
    return data_;
  }
  void SetData(const std::string& data) {
    const MutexLock lock(mutex_);
    data_ = data;
  }
  /// From now on requests that begin like this get this reply.
  void Answer(const std::string& beginning, const std::string& reply) {
    const MutexLock lock(mutex_);
    answers_[beginning] = reply;
  }
  void AnswerAsUsual() {
    const MutexLock lock(mutex_);
    answers_.clear();
  }

 private:
  std::string Reply(const std::string& request) {
    const MutexLock lock(mutex_);
    for (const auto& [beginning, reply] : answers_) {
      if (request.starts_with(beginning)) return reply;
    }
    if (request.starts_with("HMGET")) {
      return ScriptedServer::Array(
          {data_.empty() ? "$-1\r\n" : ScriptedServer::Bulk(data_), ScriptedServer::Bulk("1")});
    }
    if (const size_t at = request.find(" data "); at != std::string::npos) {
      data_ = request.substr(at + 6, request.find(" lock") - at - 6);
      return ScriptedServer::kOk;
    }
    if (request == "ROLE") return ScriptedServer::Array({ScriptedServer::Bulk("master")});
    if (request.starts_with("HGET")) return ScriptedServer::Bulk("drill|0");
    if (request.starts_with("H") || request.starts_with("E") || request.starts_with("WAIT 1")) {
      return ":1\r\n";
    }
    return ScriptedServer::kOk;
  }

  Mutex mutex_;
  std::string data_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> answers_ ABSL_GUARDED_BY(mutex_);
  ScriptedServer server_;
};

class VisitorTest : public ::testing::Test {
 protected:
  absl::Status VisitOnce(Level level = Level::kPlain) {
    plan_ = {.finder = {.servers = {session_.server().address()}}, .run = "r", .clients = 1};
    if (!visitor_) visitor_.emplace(plan_, 0, level, recorder_);
    const absl::Status status = visitor_->VisitOnce();
    visitor_->TakeReplies(Visitor::Patience::kUntilTimeout);
    return status;
  }
  Ledger::Totals Sum() const { return recorder_.CopyLedger().Sum(); }

  SessionServer session_;
  VisitPlan plan_;
  Recorder recorder_{1};
  std::optional<Visitor> visitor_;
};

TEST_F(VisitorTest, AVisitIsTheContractsOnAKeyOfItsOwn) {
  ASSERT_OK(VisitOnce());
  EXPECT_EQ(NumberOfData(session_.data()), 1u);
  EXPECT_EQ(session_.server().CountOf("HINCRBY drill:r:0 lock 1"), 1);
  EXPECT_EQ(session_.server().CountOf("EXPIRE drill:r:0 3600"), 2);
  EXPECT_EQ(session_.server().CountOf("WAIT"), 0);
  EXPECT_THAT(Sum().acknowledged, ElementsAre(1, 0, 0));
}

TEST_F(VisitorTest, ANewConnectionForEachVisit) {
  ASSERT_OK(VisitOnce());
  ASSERT_OK(VisitOnce());
  EXPECT_EQ(session_.server().CountOf("CLIENT SETNAME cloakroom-drill"), 2);
  EXPECT_EQ(NumberOfData(session_.data()), 2u);
}

TEST_F(VisitorTest, ASessionThatWasRolledBackIsALoss) {
  ASSERT_OK(VisitOnce());
  ASSERT_OK(VisitOnce());
  session_.SetData(SessionData(1));
  ASSERT_OK(VisitOnce());
  EXPECT_THAT(Sum().lost, ElementsAre(1, 0, 0));
  EXPECT_EQ(Sum().sessions_older, 1);
  session_.SetData("");
  ASSERT_OK(VisitOnce());
  EXPECT_THAT(Sum().lost, ElementsAre(3, 0, 0));
  EXPECT_EQ(Sum().sessions_lost, 1);
}

TEST_F(VisitorTest, AWriteThatIsRefusedIsNotAcknowledged) {
  session_.Answer("HMSET drill:r:0 data", "-READONLY You can't write\r\n");
  EXPECT_THAT(VisitOnce(), FailsWith(HasSubstr("READONLY")));
  EXPECT_THAT(Sum().acknowledged, ElementsAre(0, 0, 0));
  session_.AnswerAsUsual();
  ASSERT_OK(VisitOnce());
  EXPECT_EQ(NumberOfData(session_.data()), 2u) << "a number is used once";
}

TEST_F(VisitorTest, AConnectionThatIsLostIsAnError) {
  session_.Answer("HGET", "");
  EXPECT_THAT(VisitOnce(), FailsWith(HasSubstr("closed the connection")));
}

TEST_F(VisitorTest, WaitThatAReplicaAnswersIsItsLevel) {
  ASSERT_OK(VisitOnce(Level::kWait));
  EXPECT_EQ(session_.server().CountOf("WAIT 1 500"), 1);
  EXPECT_THAT(Sum().acknowledged, ElementsAre(0, 1, 0));
}

TEST_F(VisitorTest, WaitThatNobodyAnswersLeavesAPlainWrite) {
  session_.Answer("WAIT", ":0\r\n");
  ASSERT_OK(VisitOnce(Level::kWait));
  EXPECT_THAT(Sum().acknowledged, ElementsAre(1, 0, 0));
  EXPECT_EQ(recorder_.CommonError(), "WAIT 1: not reached");
  session_.Answer("WAIT", "-UNBLOCKED force unblock\r\n");
  ASSERT_OK(VisitOnce());
  EXPECT_EQ(recorder_.Copy().errors_ms.count("WAIT 1: UNBLOCKED"), 1u);
}

TEST_F(VisitorTest, WaitAofNeedsBothDisks) {
  session_.Answer("WAITAOF", "*2\r\n:1\r\n:0\r\n");
  ASSERT_OK(VisitOnce(Level::kWaitAof));
  session_.Answer("WAITAOF", "*2\r\n:0\r\n:1\r\n");
  ASSERT_OK(VisitOnce());
  session_.Answer("WAITAOF", "*2\r\n:1\r\n:1\r\n");
  ASSERT_OK(VisitOnce());
  EXPECT_EQ(session_.server().CountOf("WAITAOF 1 1 2500"), 3);
  EXPECT_THAT(Sum().acknowledged, ElementsAre(2, 0, 1));
}

TEST_F(VisitorTest, VisitsGoOnWhileAReplicaIsWaitedFor) {
  session_.Answer("WAIT", "$5\r\n");  // no whole reply
  plan_ = {.finder = {.servers = {session_.server().address()}, .timeout_ms = 50},
           .run = "r",
           .clients = 1};
  Visitor visitor(plan_, 0, Level::kWait, recorder_);
  ASSERT_OK(visitor.VisitOnce());
  ASSERT_OK(visitor.VisitOnce());
  EXPECT_THAT(Sum().acknowledged, ElementsAre(2, 0, 0));
}

TEST_F(VisitorTest, ALevelThatIsNotAnsweredIsAnErrorOfItsOwn) {
  session_.Answer("WAIT", "");
  ASSERT_OK(VisitOnce(Level::kWait));
  EXPECT_THAT(Sum().acknowledged, ElementsAre(1, 0, 0));
  EXPECT_EQ(recorder_.CommonError(), "WAIT 1: closed");
}

TEST_F(VisitorTest, RunStopsWhenItIsTold) {
  plan_ = {
      .finder = {.servers = {session_.server().address()}}, .run = "r", .clients = 1, .rate = 1};
  Visitor visitor(plan_, 0, Level::kPlain, recorder_);
  Signal stop;
  stop.Raise();
  visitor.Run(stop);
  EXPECT_FALSE(recorder_.AllSucceededSince(0));
}

}  // namespace
}  // namespace cloakroom::drill
