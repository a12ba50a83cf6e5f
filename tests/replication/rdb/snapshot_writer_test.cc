#include "replication/rdb/snapshot_writer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "replication/rdb/rdb_loader.h"
#include "storage/snapshot/snapshot.h"
#include "tests/storage/support/test_keyspace.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

RdbAuxFields NoAux() { return {}; }
bool GoOn() { return false; }

/// A sink that takes a fixed number of bytes, and then says that its other end is gone.
class BrokenSink final : public ByteSink {
 public:
  explicit BrokenSink(size_t room) : room_(room) {}
  void Append(std::string_view bytes) override {
    thread_ = std::this_thread::get_id();
    if (bytes.size() > room_) status_ = absl::UnavailableError("all replicas are gone");
    room_ -= std::min(room_, bytes.size());
  }
  absl::Status status() const override { return status_; }
  std::thread::id thread() const { return thread_; }

 private:
  size_t room_;
  absl::Status status_;
  std::thread::id thread_;
};

class SnapshotWriterTest : public KeyspaceTest {
 protected:
  SnapshotWriterTest() {
    for (int i = 0; i < 200; ++i) {
      Set(db(i % 2), "key" + std::to_string(i), "value" + std::to_string(i));
    }
  }
};

TEST_F(SnapshotWriterTest, WhatASinkInMemoryGotIsLoadedBackWhole) {
  StringSink sink;
  const auto keys =
      WriteSnapshot(keyspace_, sink, {}, [] { return RdbAuxFields{{"repl-offset", "12"}}; }, GoOn);
  ASSERT_OK(keys);
  EXPECT_EQ(*keys, 200U);

  Keyspace loaded({.databases = 3, .event_loops = 1}, clock_);
  std::vector<std::string> aux;
  RdbLoadOptions options;
  options.aux = [&](std::string_view name, std::string_view value) {
    aux.push_back(std::string(name) + "=" + std::string(value));
  };
  StringSource source(sink.text());
  const RdbLoadResult result = LoadRdb(source, sink.text().size(), loaded, options);
  EXPECT_TRUE(result.ok()) << (result.error ? result.error->Text() : "");
  EXPECT_EQ(result.keys, 200U);
  EXPECT_EQ(loaded.db(0).size(), 100U);
  EXPECT_EQ(loaded.db(1).size(), 100U);
  EXPECT_THAT(aux, testing::ElementsAre("repl-offset=12"));

  StringSink again;
  ASSERT_OK(
      WriteSnapshot(loaded, again, {}, [] { return RdbAuxFields{{"repl-offset", "12"}}; }, GoOn));
  EXPECT_EQ(again.text().size(), sink.text().size()) << "the same values";
}

TEST_F(SnapshotWriterTest, WhatIsChangedAfterTheInstantIsNotInIt) {
  StringSink sink;
  bool changed = false;
  ASSERT_OK(WriteSnapshot(keyspace_, sink, {.as_commands = true}, NoAux, [&] {
    if (!std::exchange(changed, true)) Set(db(0), "late", "1");
    return false;
  }));
  EXPECT_TRUE(changed);
  EXPECT_THAT(sink.text(), testing::Not(testing::HasSubstr("late")));
}

TEST_F(SnapshotWriterTest, ASinkThatFailsEndsTheSnapshotWithItsError) {
  // Enough data that bytes come long before the end.
  for (int i = 0; i < 20; ++i) Set(db(2), "large" + std::to_string(i), std::string(100'000, 'x'));
  BrokenSink sink(100);
  EXPECT_THAT(WriteSnapshot(keyspace_, sink, {.compression = false}, NoAux, GoOn),
              FailsWith("all replicas are gone"));
  EXPECT_NE(sink.thread(), std::this_thread::get_id());
  EXPECT_FALSE(keyspace_.snapshot().active());
  StringSink next;
  EXPECT_OK(WriteSnapshot(keyspace_, next, {}, NoAux, GoOn)) << "another may begin";
}

TEST_F(SnapshotWriterTest, OneThatIsStoppedIsCancelled) {
  StringSink sink;
  const auto result = WriteSnapshot(keyspace_, sink, {}, NoAux, [] { return true; });
  EXPECT_TRUE(absl::IsCancelled(result.status()));
  EXPECT_FALSE(keyspace_.snapshot().active());
}

}  // namespace
}  // namespace cloakroom
