#include "server/net/held_replies.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "server/context/server.h"
#include "server/persistence/persistence.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/server_fixture.h"
#include "tests/storage/support/key_apart.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using Call = FaultyFiles::Call;

constexpr int64_t kMinuteUs = 60'000'000;

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class Waiting final : public HeldReplies::Holder {
 public:
  void SendHeld() override { ++sent; }
  int sent = 0;
};

class HeldRepliesTest : private Disk, public ServerTest {
 protected:
  HeldRepliesTest()
      : ServerTest(Disk::files, {"--appendonly", "yes", "--appendfsync", "always"}),
        files_(Disk::files) {
    server_.persistence().loader().Begin();
    EXPECT_OK(server_.persistence().loader().LoadAtStart([] { return false; }));
    // The writer checks once when it starts, whether or not anything is due.
    Run("SET " + KeyApartFrom({"a", "b"}) + " 1");
    EXPECT_TRUE(journal().file().AwaitDurable(journal().file().appended_offset(), kMinuteUs));
  }

  // Closes the log, because its writer posts to the context.
  ~HeldRepliesTest() override { static_cast<void>(journal().file().Close()); }

  ChangeJournal& journal() { return server_.persistence().journal(); }
  /// Executes a request; `client` waits for its changes. Returns their offset.
  int64_t Write(std::string_view request, const std::shared_ptr<Waiting>& client) {
    const ChangeJournal::Scope scope(journal(), server_.thread(0).holds);
    Run(request);
    if (scope.offset() > 0) held_.Add(client, scope.offset());
    return scope.offset();
  }
  void RunUntilSent(const Waiting& client) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(kMinuteUs);
    while (client.sent == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "never sent";
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(1));
    }
  }
  void RunForAMoment() {
    context_.restart();
    context_.run_for(std::chrono::milliseconds(10));
  }

  FaultyFiles& files_;
  boost::asio::io_context context_{1};
  HeldReplies held_{
      [this](std::function<void()> task) { boost::asio::post(context_, std::move(task)); },
      journal()};
  std::shared_ptr<Waiting> client_ = std::make_shared<Waiting>();
  std::shared_ptr<Waiting> other_ = std::make_shared<Waiting>();
};

TEST_F(HeldRepliesTest, ARoundGoesToTheDiskTogetherWhenItEnds) {
  const int64_t syncs = files_.Calls(Call::kSync);
  EXPECT_GT(Write("SET a 1", client_), 0);
  const int64_t offset = Write("SET b 2", other_);
  EXPECT_LT(journal().durable_offset(), offset) << "nothing is demanded before the round ends";
  held_.EndRound();
  RunUntilSent(*other_);
  EXPECT_EQ(client_->sent, 1);
  EXPECT_EQ(other_->sent, 1);
  EXPECT_GE(journal().durable_offset(), offset);
  EXPECT_EQ(files_.Calls(Call::kSync), syncs + 1);
}

TEST_F(HeldRepliesTest, WhatChangesNothingWaitsForNothing) {
  EXPECT_EQ(Write("GET a", client_), 0);
  held_.EndRound();
  EXPECT_EQ(client_->sent, 0);
}

TEST_F(HeldRepliesTest, ChangesThatNoRequestMadeAreWrittenAtOnce) {
  Run("SET a 1");
  EXPECT_TRUE(journal().file().AwaitDurable(journal().file().appended_offset(), kMinuteUs));
}

TEST_F(HeldRepliesTest, ADiskThatFailsHoldsRepliesUntilItRecovers) {
  files_.FailFrom(1, Call::kSync);
  Write("SET a 1", client_);
  held_.EndRound();
  RunForAMoment();
  Write("SET b 2", other_);
  held_.EndRound();
  RunForAMoment();
  EXPECT_EQ(client_->sent, 0);
  EXPECT_EQ(other_->sent, 0);
  files_.Heal();
  RunUntilSent(*client_);
  RunUntilSent(*other_);
}

TEST_F(HeldRepliesTest, ALogThatCannotBeClosedAcknowledgesNothing) {
  files_.FailFrom(1, Call::kSync);
  Write("SET a 1", client_);
  held_.EndRound();
  EXPECT_FALSE(journal().file().Close().ok());
  RunForAMoment();
  Write("SET b 2", other_);
  held_.EndRound();
  RunForAMoment();
  EXPECT_EQ(client_->sent, 0);
  EXPECT_EQ(other_->sent, 0);
}

TEST_F(HeldRepliesTest, RequestsNestEachWithChangesOfItsOwn) {
  const ChangeJournal::Scope outer(journal(), server_.thread(0).holds);
  const int64_t inner = Write("SET a 1", client_);
  EXPECT_GT(inner, 0);
  EXPECT_EQ(outer.offset(), 0);
  Run("SET b 2");
  EXPECT_GT(outer.offset(), inner);
  held_.Add(other_, outer.offset());
  held_.EndRound();
  RunUntilSent(*other_);
}

TEST_F(HeldRepliesTest, OneWhoComesLateWithChangesThatAreKeptHidesNobodysDemand) {
  const ChangeJournal::Scope script(journal(), server_.thread(0).holds);
  Run("SET a 1");
  journal().Demand(script.offset());
  ASSERT_TRUE(journal().AwaitDurable(script.offset(), kMinuteUs));
  EXPECT_GT(Write("SET b 2", client_), script.offset());
  held_.Add(other_, script.offset());
  held_.EndRound();
  RunUntilSent(*client_);
  EXPECT_EQ(other_->sent, 1);
}

}  // namespace
}  // namespace cloakroom
