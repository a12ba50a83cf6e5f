#include "server/persistence/change_journal.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/context/server.h"
#include "server/execution/thread_context.h"
#include "server/persistence/persistence.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

class NotingLink final : public ClientLink {
 public:
  void Push(Pushed pushed) override { pushes.push_back(std::move(pushed)); }
  void OffsetsAreKnown() override { ++known; }
  void Kill() override {}
  std::vector<Pushed> pushes;
  int known = 0;
};

class ChangeJournalTest : private Disk, public ServerTest {
 protected:
  explicit ChangeJournalTest(const std::string& fsync = "always")
      : ServerTest(Disk::files, {"--appendonly", "yes", "--appendfsync", fsync, "--save", ""}),
        files_(Disk::files) {
    server_.persistence().loader().Begin();
    EXPECT_OK(server_.persistence().loader().LoadAtStart([] { return false; }));
  }

  /// A request that loop 0 executes.
  class TestRequest : public ChangeJournal::Scope {
   public:
    explicit TestRequest(ChangeJournalTest& test, const ClientLink* client = nullptr,
                         int64_t durable_from = 0)
        : ChangeJournal::Scope(test.journal(), test.thread().holds, client, durable_from),
          thread_(test.thread()),
          outer_(std::exchange(thread_.journal_scope, this)) {}
    ~TestRequest() { thread_.journal_scope = outer_; }

   private:
    ThreadContext& thread_;
    ChangeJournal::Scope* const outer_;
  };

  ChangeJournal& journal() { return server_.persistence().journal(); }
  ThreadContext& thread() { return server_.thread(0); }
  /// Pushes on behalf of the current request, if there is one.
  void Push() { thread().pusher()(link_, push_); }
  /// The context of a thread that executes no request.
  HoldContext& holds() { return holds_; }
  std::string Log(int number = 1) {
    EXPECT_OK(journal().file().Flush());
    return files_.Content("appendonlydir/appendonly.aof." + std::to_string(number) + ".incr.aof")
        .value_or("");
  }

  FaultyFiles& files_;
  const std::shared_ptr<NotingLink> link_ = std::make_shared<NotingLink>();
  const Pushed push_{{nullptr, "text"}, nullptr, nullptr};
  HoldContext holds_;
};

TEST_F(ChangeJournalTest, NothingIsSyncedBeforeTheFirstBase) {
  EXPECT_TRUE(journal().synced());
  journal().Detach();
  EXPECT_FALSE(journal().synced());
  EXPECT_OK(journal().file().Close());
  ASSERT_OK(journal().file().PrepareSwitch());
  journal().Switch();
  journal().Attach();
  Run("SET k v");
  EXPECT_OK(journal().file().Flush());
  EXPECT_FALSE(journal().synced()) << "a crash now would bring the old log back";
  files_.Put("base", "");
  ASSERT_OK(journal().file().InstallBase({"base", /*is_rdb=*/false}));
  EXPECT_TRUE(journal().synced());
}

TEST_F(ChangeJournalTest, ARequestThatReadsWhatAnotherChangedWaitsForIt) {
  int64_t written = 0;
  {
    const TestRequest writer(*this);
    Run("SET k v");
    written = writer.offset();
    EXPECT_GT(written, 0);
  }
  const TestRequest reader(*this);
  Run("SELECT 1");  // any key of database 0 may share a stripe with this one
  Run("GET k");
  EXPECT_EQ(reader.offset(), 0);
  Run("SELECT 0");
  Run("GET k");
  EXPECT_EQ(reader.offset(), written);
}

TEST_F(ChangeJournalTest, ARequestGoesOnFromWhatItsClientWaitsFor) {
  const TestRequest request(*this, link_.get(), 1234);
  Run("GET none");
  EXPECT_EQ(request.offset(), 1234);
}

TEST_F(ChangeJournalTest, WhatTimeRemovesIsWaitedForByNobody) {
  Run("SET k v PX 10");
  EXPECT_OK(journal().file().Flush());
  Advance(20);
  const TestRequest request(*this);
  const int64_t before = journal().appended();
  Run("SET other v");
  const int64_t other = request.offset();
  Run("GET k");
  EXPECT_GT(journal().appended(), other) << "its DEL is logged all the same";
  EXPECT_GT(other, before);
  EXPECT_EQ(request.offset(), other);
}

TEST_F(ChangeJournalTest, APushHasATicketThatIsKnownWhenItsRequestIsOver) {
  {
    TestRequest request(*this);
    Push();
    Push();
    ASSERT_EQ(link_->pushes.size(), 2U);
    EXPECT_EQ(link_->pushes[0].durable_from(), PushOffset::kUnknown);
    Run("SET k v");
    request.End();
    EXPECT_EQ(link_->pushes[1].durable_from(), request.offset());
    EXPECT_EQ(link_->known, 1) << "each receiver is told once";
    Push();
  }
  EXPECT_GT(link_->pushes[2].durable_from(), 0) << "one that ends without saying so says it then";
}

TEST_F(ChangeJournalTest, APushToOneselfAndOneThatNobodyAskedForNeedNoTicket) {
  Push();
  const TestRequest request(*this, link_.get());
  Push();
  for (const Pushed& pushed : link_->pushes) EXPECT_EQ(pushed.offset, nullptr);
}

TEST_F(ChangeJournalTest, WhatALoadRepeatsIsNotLoggedAgain) {
  Run("SET k v");
  Run("SWAPDB 0 1");
  Run("FLUSHDB");
  Run("FLUSHALL");
  const int64_t before = journal().appended();
  EXPECT_OK(server_.persistence().loader().Reload({.from_log = true}));
  EXPECT_EQ(journal().appended(), before);
}

class EverySecondTest : public ChangeJournalTest {
 protected:
  EverySecondTest() : ChangeJournalTest("everysec") {}
};

TEST_F(EverySecondTest, NobodyWaitsForOthersChanges) {
  const TestRequest request(*this);
  Run("SET k v");
  Run("GET k");
  Run("INFO");
  Run("DBSIZE");
  Push();
  EXPECT_EQ(request.offset(), 0);
  EXPECT_EQ(link_->pushes[0].offset, nullptr);
  ASSERT_OK(config_.Set({"appendfsync", "always"}));
  Run("SET k v");
  EXPECT_GT(request.offset(), 0);
}

// ---- scripts

TEST_F(ChangeJournalTest, EveryFileSaysItsDatabaseThoughScriptsAreLoadedAtItsBeginning) {
  Run("SELECT 3");
  Run("SET k v");
  for (int i = 2; i < 10; ++i) {
    ASSERT_OK(journal().file().PrepareSwitch());
    std::thread loader([&] {
      MemoryMeter::RegisterThread();
      journal().LogScripts(holds(), {"SCRIPT", "LOAD", "return 1"}, [] {});
    });
    journal().Switch();
    Run("SET k v");
    loader.join();
    const std::string log = Log(i);
    EXPECT_LT(log.find("SELECT\r\n$1\r\n3"), log.find("SET\r\n$1\r\nk")) << log;
  }
}

TEST_F(ChangeJournalTest, ScriptsAreLoggedInTheOrderInWhichTheyBecameKnown) {
  // One thread loads a script, and meanwhile the other one wants to flush all.
  std::string known;
  Mutex mutex;
  CondVar changed;
  bool loading = false;
  bool forgets = false;
  std::atomic<bool> forgotten = false;
  std::thread forgetter([&] {
    MemoryMeter::RegisterThread();
    {
      MutexLock lock(mutex);
      while (!loading) changed.Wait(mutex);
      forgets = true;
      changed.NotifyAll();
    }
    journal().LogScripts(holds(), {"SCRIPT", "FLUSH"}, [&] { known += " flush"; });
    forgotten = true;
  });
  journal().LogScripts(holds(), {"SCRIPT", "LOAD", "return 1"}, [&] {
    known += "load";
    MutexLock lock(mutex);
    loading = true;
    changed.NotifyAll();
    while (!forgets) changed.Wait(mutex);
    // Time enough for the other thread, if nothing stopped it.
    for (int i = 0; i < 10'000 && !forgotten; ++i) std::this_thread::yield();
  });
  forgetter.join();
  EXPECT_EQ(known, "load flush");
  const std::string log = Log();
  EXPECT_LT(log.find("LOAD"), log.find("FLUSH")) << log;
}

TEST_F(ChangeJournalTest, ATransactionsScriptsAreLoggedAtOnce) {
  Run("MULTI");
  Run({"SCRIPT", "LOAD", "return 1"});
  Run("SET k v");
  Run("EXEC");
  const std::string log = Log();
  EXPECT_THAT(log, HasSubstr("LOAD"));
  EXPECT_THAT(log, Not(HasSubstr("MULTI"))) << "what is left is one change";
}

TEST_F(ChangeJournalTest, LoadAndFlushOnTwoThreadsLeaveInTheLogWhatIsKnown) {
  // Each thread is an event loop of its own.
  const std::string text = "return 'twice'";
  const std::string sha = Run({"SCRIPT", "LOAD", text}).substr(5, 40);
  std::thread flusher([&] {
    MemoryMeter::RegisterThread();
    for (int i = 0; i < 200; ++i) {
      journal().LogScripts(holds(), {"SCRIPT", "FLUSH"}, [&] { server_.scripts().Flush(); });
    }
  });
  for (int i = 0; i < 200; ++i) Run({"SCRIPT", "LOAD", text});
  flusher.join();
  const bool known = server_.scripts().Find(sha) != nullptr;
  const std::string log = Log();
  const size_t load = log.rfind("LOAD");
  const size_t flush = log.rfind("FLUSH");
  EXPECT_EQ(known, load > flush);
}

}  // namespace
}  // namespace cloakroom
