#include "replication/rdb/snapshot_pipe.h"

#include <gtest/gtest.h>

#include <thread>

#include "storage/access/lookup.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

using std::chrono_literals::operator""ms;
using Room = SnapshotPipe::Room;

class SnapshotPipeTest : public KeyspaceTest {
 protected:
  SnapshotBatch BatchOf(const std::string& key) {
    Set(db(), key, "1");
    SnapshotBatch batch;
    Hold hold(kSlot);
    EXPECT_TRUE(hold.TryKey(db(), KeyHash::Of(key)));
    batch.Add(0, *PeekKey(hold, db(), key, KeyHash::Of(key), now_ms()));
    return batch;
  }
  static std::string KeyIn(const SnapshotBatch& batch) {
    std::string key;
    batch.ForEach([&](const EntryView& entry) { key += entry.key; });
    return key;
  }

  SnapshotPipe pipe_;
  SnapshotBatch batch_;
};

TEST_F(SnapshotPipeTest, GivesInOrderAndEnds) {
  pipe_.Push(BatchOf("a"));
  pipe_.Push(BatchOf("b"));
  pipe_.Close(/*given_up=*/false);
  ASSERT_TRUE(pipe_.Pop(&batch_));
  EXPECT_EQ(KeyIn(batch_), "a");
  ASSERT_TRUE(pipe_.Pop(&batch_));
  EXPECT_EQ(KeyIn(batch_), "b");
  EXPECT_FALSE(pipe_.Pop(&batch_));
}

TEST_F(SnapshotPipeTest, HasRoomForAFew) {
  for (size_t i = 0; i < SnapshotPipe::kMaxBatches; ++i) {
    EXPECT_EQ(pipe_.AwaitRoom(0ms), Room::kFree);
    pipe_.Push(BatchOf("key"));
  }
  EXPECT_EQ(pipe_.AwaitRoom(0ms), Room::kNotYet);
  ASSERT_TRUE(pipe_.Pop(&batch_));
  EXPECT_EQ(pipe_.AwaitRoom(0ms), Room::kFree);
}

TEST_F(SnapshotPipeTest, WaitsForRoomAndForBatches) {
  constexpr int kBatches = 100;
  int popped = 0;
  std::thread writing([&] {
    while (pipe_.Pop(&batch_)) ++popped;
    pipe_.End();
  });
  for (int i = 0; i < kBatches; ++i) {
    while (pipe_.AwaitRoom(50ms) != Room::kFree) {
    }
    pipe_.Push(BatchOf("key"));
  }
  pipe_.Close(/*given_up=*/false);
  writing.join();
  EXPECT_EQ(popped, kBatches);
}

TEST_F(SnapshotPipeTest, WhatIsGivenUpIsNotGiven) {
  pipe_.Push(BatchOf("a"));
  pipe_.Close(/*given_up=*/true);
  EXPECT_TRUE(pipe_.given_up());
  pipe_.Rest(std::chrono::hours(1));  // returns at once
  EXPECT_FALSE(pipe_.Pop(&batch_));
}

TEST_F(SnapshotPipeTest, NothingIsTakenWhenTheWritingThreadHasEnded) {
  pipe_.Push(BatchOf("a"));
  pipe_.End();
  EXPECT_EQ(pipe_.AwaitRoom(0ms), Room::kNoMore);
  pipe_.Push(BatchOf("b"));
  pipe_.Close(/*given_up=*/false);
  EXPECT_FALSE(pipe_.Pop(&batch_));
}

}  // namespace
}  // namespace cloakroom
