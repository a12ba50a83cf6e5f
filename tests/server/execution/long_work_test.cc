#include "server/execution/long_work.h"

#include <future>
#include <memory>

#include "tests/server/support/output_text.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// Long work on a pool of one thread.
class LongWorkTest : public ServerTest {
 protected:
  /// Starts the work; the future gets its reply.
  std::future<std::string> Start(LongWork::Function function) {
    auto done = std::make_shared<std::promise<std::string>>();
    auto holder = std::make_shared<std::weak_ptr<LongWork>>();
    auto work = std::make_shared<LongWork>(
        std::move(function), pool_, server_.running_scripts(), server_.keyspace().background_slot(),
        2, [done, holder] { done->set_value(TakeText(holder->lock()->output())); });
    *holder = work;
    work->Start();
    return done->get_future();
  }
  /// Returns when the pool's thread has reached a job that is posted now.
  void AwaitWorker() {
    std::promise<void> came;
    pool_.Post([&] { came.set_value(); });
    came.get_future().wait();
  }
  Database& db(int i) { return server_.keyspace().db(i); }

  WorkerPool pool_{1};
};

TEST_F(LongWorkTest, RepliesWhenAllItsStepsAreDone) {
  int steps = 0;
  auto reply = Start([&](LongWork& work) -> Task {
    for (int i = 0; i < 100; ++i) co_await work.Step(db(0), [&](Hold&) { ++steps; });
    work.reply.Integer(steps);
  });
  EXPECT_EQ(reply.get(), ":100\r\n");
}

TEST_F(LongWorkTest, WaitsForAClosedGateWithoutItsWorker) {
  auto hold = std::make_unique<Hold>(0);
  hold->WaitAndClose(db(5));
  bool ran = false;
  auto first = Start([&](LongWork& work) -> Task {
    co_await work.Step(db(5), [&](Hold&) { ran = true; });
    work.reply.Simple("first");
  });
  auto second = Start([&](LongWork& work) -> Task {
    co_await work.Step(db(0), [](Hold&) {});
    work.reply.Simple("second");
  });
  EXPECT_EQ(second.get(), "+second\r\n");
  AwaitWorker();
  EXPECT_FALSE(ran);
  hold.reset();
  EXPECT_EQ(first.get(), "+first\r\n");
  EXPECT_TRUE(ran);
}

TEST_F(LongWorkTest, HearsThatAScriptIsBusyAndRepliesNothingElse) {
  for (bool busy_before : {false, true}) {
    auto hold = std::make_unique<Hold>(0);
    std::promise<void> first_step;
    std::promise<void> closed;
    auto reply = Start([&](LongWork& work) -> Task {
      co_await work.Step(db(5), [&](Hold&) { work.reply.Bulk("half of it"); });
      first_step.set_value();
      closed.get_future().wait();
      co_await work.Step(db(5), [&](Hold&) { work.reply.Bulk("the rest"); });
    });
    first_step.get_future().wait();
    hold->WaitAndClose(db(5));
    if (busy_before) db(5).gate().SetBusy();
    closed.set_value();
    AwaitWorker();
    if (!busy_before) db(5).gate().SetBusy();
    EXPECT_TRUE(reply.get().starts_with("-BUSY "));
  }
}

TEST_F(LongWorkTest, WaitsForACallWithoutItsWorker) {
  std::promise<LongWork::Resume> started;
  int answer = 0;
  auto reply = Start([&](LongWork& work) -> Task {
    co_await work.Until([&](LongWork::Resume resume) { started.set_value(std::move(resume)); });
    work.reply.Integer(answer);
  });
  LongWork::Resume resume = started.get_future().get();
  AwaitWorker();
  answer = 42;
  resume();
  EXPECT_EQ(reply.get(), ":42\r\n");
}

TEST_F(LongWorkTest, GivesWayBetweenTwoStepsToOthersWhoWait) {
  std::atomic<bool> other_ran = false;
  std::promise<void> begun;
  auto reply = Start([&](LongWork& work) -> Task {
    begun.set_value();
    // If the work did not give way, this would never end.
    while (!other_ran) co_await work.Step(db(0), [](Hold&) {});
    work.reply.Ok();
  });
  begun.get_future().wait();
  pool_.Post([&] { other_ran = true; });
  EXPECT_EQ(reply.get(), "+OK\r\n");
}

TEST_F(LongWorkTest, InsideATransactionItRunsUnderWhatIsHeld) {
  Hold hold(0);
  hold.WaitAndClose(db(0));
  OutputBuffer out;
  ReplyWriter reply(out);
  int steps = 0;
  LongWork work(
      [&](LongWork& here) -> Task {
        for (int i = 0; i < 3; ++i) co_await here.Step(db(0), [&](Hold&) { ++steps; });
        here.Error("WRONGTYPE for once");
      },
      reply, hold);
  work.RunToEnd();
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(work.error_code(), "WRONGTYPE");
  EXPECT_EQ(TakeText(out), "-WRONGTYPE for once\r\n");
}

TEST_F(LongWorkTest, WorkThatWaitsWhenThePoolStopsIsDropped) {
  auto hold = std::make_unique<Hold>(0);
  hold->WaitAndClose(db(5));
  auto kept = std::make_shared<int>(0);
  std::weak_ptr<int> alive = kept;
  auto reply = Start([this, kept](LongWork& work) -> Task {
    co_await work.Step(db(5), [](Hold&) {});
    work.reply.Integer(*kept);
  });
  kept.reset();
  AwaitWorker();  // the work was refused and queues behind that job ...
  AwaitWorker();  // ... and now waits at the gate
  pool_.Stop();
  EXPECT_FALSE(alive.expired());
  hold.reset();
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace cloakroom
