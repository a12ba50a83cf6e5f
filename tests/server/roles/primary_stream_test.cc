#include "server/roles/primary_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "server/context/pause.h"
#include "server/execution/record_executor.h"
#include "server/persistence/persistence.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Command(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return text;
}

class PrimaryStreamTest : public ServerTest {
 protected:
  PrimaryStreamTest() : ServerTest(SystemFiles(), {"--save", ""}) {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndCloseAll(server_.keyspace());
    server_.persistence().journal().set_following(true);
  }

  void Receive(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto taken = stream_.Receive([&](std::span<char> room) -> std::optional<size_t> {
        return bytes.copy(room.data(), room.size());
      });
      ASSERT_TRUE(taken);
      bytes.remove_prefix(*taken);
      if (*taken == 0) std::this_thread::yield();
    }
  }
  void AwaitApplied(int64_t tail) {
    while (server_.stream().tail() < tail) std::this_thread::yield();
  }
  std::string Stream() {
    std::string text;
    server_.stream().Read(0, server_.stream().Published(),
                          [&](std::string_view piece) { text += piece; });
    return text;
  }
  std::vector<int64_t> Asked() {
    MutexLock lock(mutex_);
    return asked_;
  }
  std::string Error() {
    MutexLock lock(mutex_);
    return error_;
  }

  Mutex mutex_;
  std::vector<int64_t> asked_ ABSL_GUARDED_BY(mutex_);
  std::string error_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> rooms_ = 0;
  // Last: its thread uses all of the above.
  PrimaryStream stream_{server_,
                        std::make_unique<RecordExecutor>(server_),
                        {.asked_for_ack =
                             [this](int64_t position) {
                               MutexLock lock(mutex_);
                               asked_.push_back(position);
                             },
                         .room = [this] { ++rooms_; },
                         .broken =
                             [this](const absl::Status& error) {
                               MutexLock lock(mutex_);
                               error_ = std::string(error.message());
                             }}};
};

TEST_F(PrimaryStreamTest, WhatIsAppliedIsOurStream) {
  stream_.Begin();
  const std::string text = Command({"SELECT", "2"}) + Command({"SET", "k", "v"}) +
                           Command({"MULTI"}) + Command({"INCR", "n"}) + Command({"INCR", "n"}) +
                           Command({"EXEC"});
  for (const char byte : text) Receive({&byte, 1});
  AwaitApplied(static_cast<int64_t>(text.size()));
  EXPECT_EQ(Stream(), text);
  EXPECT_EQ(server_.stream().selected_db(), 2);
  Run("SELECT 2");
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
  EXPECT_EQ(Run("GET n"), "$1\r\n2\r\n");
  EXPECT_EQ(stream_.behind(), 0);
}

TEST_F(PrimaryStreamTest, ATornRecordIsDroppedWithTheLink) {
  stream_.Begin();
  const std::string whole = Command({"SET", "k", "v"});
  Receive(whole + Command({"MULTI"}) + Command({"SET", "k", "w"}));
  AwaitApplied(static_cast<int64_t>(whole.size()));
  stream_.End();
  EXPECT_EQ(server_.stream().tail(), static_cast<int64_t>(whole.size()));
  EXPECT_EQ(stream_.Receive([](std::span<char>) { return std::optional<size_t>(1); }), 0)
      << "it is closed";
  stream_.Begin();
  Receive(Command({"SET", "k", "x"}));
  AwaitApplied(static_cast<int64_t>(2 * whole.size()));
  EXPECT_EQ(Run("GET k"), "$1\r\nx\r\n");
}

TEST_F(PrimaryStreamTest, AnAckIsForWhatPrecedesTheQuestion) {
  stream_.Begin();
  const std::string set = Command({"SET", "k", "v"});
  const std::string question = Command({"REPLCONF", "GETACK", "*"});
  Receive(set + question);
  AwaitApplied(static_cast<int64_t>(set.size() + question.size()));
  EXPECT_THAT(Asked(), ElementsAre(static_cast<int64_t>(set.size())));
}

TEST_F(PrimaryStreamTest, AtClosedGatesTheRestIsAppliedByWhoClosedThem) {
  stream_.Begin();
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndCloseAll(server_.keyspace());
  const std::string text = Command({"SET", "k", "v"}) + Command({"SET", "k", "w"});
  Receive(text + "*3\r\n$3\r\nSET");
  EXPECT_EQ(server_.stream().tail(), 0) << "the applier waits at the gate";
  stream_.Finish(hold);
  EXPECT_EQ(server_.stream().tail(), static_cast<int64_t>(text.size()));
  hold.Release();
  EXPECT_EQ(Run("GET k"), "$1\r\nw\r\n");
}

TEST_F(PrimaryStreamTest, APauseHoldsItBack) {
  stream_.Begin();
  server_.pause().Begin(now_ms() + 1'000'000, /*all=*/false);
  const std::string set = Command({"SET", "k", "v"});
  Receive(set);
  EXPECT_EQ(server_.stream().tail(), 0);
  EXPECT_EQ(stream_.behind(), static_cast<int64_t>(set.size()));
  server_.pause().End();
  AwaitApplied(static_cast<int64_t>(set.size()));
}

TEST_F(PrimaryStreamTest, TheLogHasNothingThatItCouldNotReadAgain) {
  stream_.Begin();
  const std::string text =
      "\r\n" + Command({"NO.SUCH", "x"}) + "*0\r\n" + Command({"SET", "k", "v"});
  Receive(text);
  AwaitApplied(static_cast<int64_t>(text.size()));
  EXPECT_EQ(Stream(), text) << "our own replicas get the same bytes";
  EXPECT_EQ(Run("GET k"), "$1\r\nv\r\n");
}

TEST_F(PrimaryStreamTest, WhatIsNoCommandEndsIt) {
  stream_.Begin();
  Receive("PING\r\n");
  while (Error().empty()) std::this_thread::yield();
  EXPECT_THAT(Error(), HasSubstr("inline protocol"));
  EXPECT_EQ(server_.stream().tail(), 0);
}

TEST_F(PrimaryStreamTest, ItIsNotFarAhead) {
  stream_.Begin();
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndCloseAll(server_.keyspace());
  const std::string record = Command({"SET", "k", std::string(1'000'000, 'v')});
  int64_t received = 0;
  size_t taken = 1;
  // The first record must be seen before the others, or the reader would be starved of it.
  while (taken > 0) {
    const int64_t place = received % static_cast<int64_t>(record.size());
    const std::string_view rest = std::string_view(record).substr(static_cast<size_t>(place));
    taken = *stream_.Receive([&](std::span<char> room) -> std::optional<size_t> {
      return rest.copy(room.data(), room.size());
    });
    received += static_cast<int64_t>(taken);
    if (received < static_cast<int64_t>(record.size()) * 2) std::this_thread::yield();
    if (received > 2 * PrimaryStream::kMostAhead) std::this_thread::yield();
  }
  EXPECT_GE(received, PrimaryStream::kMostAhead);
  hold.Release();
  while (rooms_ == 0) std::this_thread::yield();
}

TEST_F(PrimaryStreamTest, ARecordLongerThanThatIsTakenAllTheSame) {
  stream_.Begin();
  const std::string record =
      Command({"SET", "k", std::string(PrimaryStream::kMostAhead + 1'000'000, 'v')});
  Receive(record);
  AwaitApplied(static_cast<int64_t>(record.size()));
  EXPECT_EQ(Run("STRLEN k"), ":" + std::to_string(PrimaryStream::kMostAhead + 1'000'000) + "\r\n");
}

}  // namespace
}  // namespace cloakroom
