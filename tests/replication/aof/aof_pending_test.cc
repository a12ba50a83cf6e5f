#include "replication/aof/aof_pending.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "storage/base/memory_meter.h"
#include "tests/support/test_clock.h"

namespace cloakroom {
namespace {

class AofPendingTest : public ::testing::Test {
 protected:
  AofPendingTest() { pending_.set_accepting(true); }

  std::string TakeAll() {
    std::string text;
    for (AofChunk& chunk : pending_.Take()) {
      if (chunk.new_file) text += "<" + chunk.new_file->path + ">";
      text += chunk.bytes;
      pending_.Recycle(std::move(chunk.bytes));
    }
    return text;
  }

  TestClock clock_;
  AofPending pending_{clock_};
};

TEST_F(AofPendingTest, KeepsOrderAndCountsBytes) {
  EXPECT_EQ(pending_.Append("abc"), 3);
  EXPECT_EQ(pending_.Append("de"), 5);
  EXPECT_EQ(pending_.appended(), 5);
  EXPECT_EQ(TakeAll(), "abcde");
  EXPECT_EQ(TakeAll(), "");
  EXPECT_EQ(pending_.Append("f"), 6);
}

TEST_F(AofPendingTest, DropsWhatComesWhileNotAccepting) {
  pending_.Append("a");
  pending_.set_accepting(false);
  EXPECT_EQ(pending_.Append("b"), 1);
  EXPECT_EQ(TakeAll(), "a");
}

TEST_F(AofPendingTest, ASwitchStandsBetweenTheBytesOfTheFiles) {
  pending_.Append("old");
  EXPECT_EQ(pending_.Switch({"next", nullptr}), 3);
  pending_.Append("new");
  EXPECT_EQ(TakeAll(), "old<next>new");
}

TEST_F(AofPendingTest, RecordsAreNotCutAtAChunksEnd) {
  std::string record(100'001, 'x');
  for (int i = 0; i < 10; i++) pending_.Append(record);
  size_t sum = 0;
  std::vector<AofChunk> chunks = pending_.Take();
  EXPECT_GT(chunks.size(), 2u);
  for (const AofChunk& chunk : chunks) {
    EXPECT_EQ(chunk.bytes.size() % record.size(), 0u);
    sum += chunk.bytes.size();
  }
  EXPECT_EQ(sum, 10 * record.size());
}

// ---- changes

ChangeBatch Sets(int count, size_t value_bytes, int db = 0) {
  ChangeBatch batch;
  const std::string value(value_bytes, 'v');
  for (int i = 0; i < count; i++)
    batch.Add(db, ChangeKind::kCommand, {"SET", std::to_string(i), value});
  return batch;
}

std::string Encoded(const ChangeBatch& batch, CommandStream* stream) {
  std::string bytes;
  stream->Encode(batch, &bytes);
  return bytes;
}

TEST_F(AofPendingTest, ChangesOfAnySizeStandInOrderAndSayTheirDatabase) {
  CommandStream stream;
  std::string expected;
  // One by one: encoded in place, encoded apart and copied, apart and spliced.
  for (const auto& [count, bytes] : {std::pair<int, size_t>{1, 10},
                                     {1, 20'000},
                                     {1000, 10},
                                     {10, 50'000},
                                     {2, 1'000'000},
                                     {1, 10}}) {
    for (int db : {0, 0, 5}) {
      const ChangeBatch batch = Sets(count, bytes, db);
      expected += Encoded(batch, &stream);
      EXPECT_EQ(pending_.AppendChanges(batch), static_cast<int64_t>(expected.size()));
      EXPECT_EQ(pending_.appended(), static_cast<int64_t>(expected.size()));
    }
  }
  EXPECT_EQ(TakeAll(), expected);
}

TEST_F(AofPendingTest, ALongBatchIsCutBetweenCommands) {
  pending_.AppendChanges(Sets(100'000, 10));
  size_t chunks = 0;
  for (const AofChunk& chunk : pending_.Take()) {
    EXPECT_EQ(chunk.bytes.front(), '*');
    EXPECT_LT(chunk.bytes.size(), AofPending::kChunk + 100);
    ++chunks;
  }
  EXPECT_GT(chunks, 10U);
}

TEST_F(AofPendingTest, WhatIsEncodedSlowlyKeepsNobodyFromAppending) {
  pending_.Append("first ");
  pending_.AppendEncoded([&] {
    // Another thread: it could not if the mutex were held.
    std::thread([&] { pending_.Append("quick "); }).join();
    return EncodedChanges{0, 0, {"slow", " and", " long"}};
  });
  pending_.Append(" last");
  EXPECT_EQ(TakeAll(), "first quick *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\nslow and long last");
}

TEST_F(AofPendingTest, AChunkOfALongBatchIsDueWithoutADemand) {
  pending_.AppendChanges(Sets(10, AofPending::kCopied), AofPending::Due::kOnDemand);
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
}

TEST_F(AofPendingTest, EachFileSaysItsDatabaseHoweverAppendsAndSwitchesMeet) {
  CommandStream stream;
  const ChangeBatch batch = Sets(1, 1, 3);
  pending_.AppendChanges(batch);
  pending_.Switch({"next", nullptr});
  pending_.AppendChanges(batch);
  pending_.set_accepting(false);
  pending_.AppendChanges(batch);
  pending_.set_accepting(true);
  pending_.AppendChanges(batch);
  const std::string selected = Encoded(batch, &stream);
  EXPECT_EQ(TakeAll(), selected + "<next>" + selected + selected);
}

TEST_F(AofPendingTest, AppendsAndSwitchesAtOnceLeaveEveryFileWithItsDatabase) {
  const ChangeBatch batch = Sets(1, 1, 3);
  std::thread appender([&] {
    for (int i = 0; i < 20'000; i++) pending_.AppendChanges(batch);
  });
  for (int i = 0; i < 200; i++) pending_.Switch({"next", nullptr});
  appender.join();
  bool begins = true;
  for (const AofChunk& chunk : pending_.Take()) {
    begins = begins || chunk.new_file.has_value();
    if (chunk.bytes.empty()) continue;
    EXPECT_EQ(chunk.bytes.starts_with("*2\r\n$6\r\nSELECT"), begins);
    begins = false;
  }
}

TEST_F(AofPendingTest, TheMemoryOfALongBatchComesBack) {
  MemoryMeter::RegisterThread();
  const int64_t before = MemoryMeter::UsedBytes();
  {
    const ChangeBatch batch = Sets(500'000, 20);
    pending_.AppendChanges(batch);
  }
  EXPECT_GT(MemoryMeter::UsedBytes() - before, 20'000'000);
  TakeAll();
  EXPECT_LT(MemoryMeter::UsedBytes() - before, 5'000'000);
}

TEST_F(AofPendingTest, ATimestampStandsBeforeTheFirstRecordOfASecond) {
  pending_.set_timestamps(true);
  EXPECT_EQ(pending_.Append("a"), 17);
  pending_.Append("b");
  clock_.AdvanceMs(1000);
  pending_.Append("c");
  pending_.Switch({"next", nullptr});
  pending_.Append("d");
  EXPECT_EQ(TakeAll(), "#TS:1800000000\r\nab#TS:1800000001\r\nc<next>#TS:1800000001\r\nd");
}

TEST_F(AofPendingTest, BytesOnDemandAreDueWhenTheyAreNamed) {
  const int64_t first = pending_.Append("a", AofPending::Due::kOnDemand);
  EXPECT_FALSE(pending_.Await(true, 0, 0));
  pending_.Demand(first);
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  EXPECT_EQ(TakeAll(), "a");
  pending_.Append("b", AofPending::Due::kOnDemand);
  pending_.Demand(first);
  EXPECT_FALSE(pending_.Await(true, 0, 0)) << "it was taken long since";
  pending_.Append("c");
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  EXPECT_EQ(TakeAll(), "bc") << "with what is due";
}

TEST_F(AofPendingTest, AFullChunkWaitsForNoDemand) {
  pending_.Append(std::string(AofPending::kChunk - 1, 'x'), AofPending::Due::kOnDemand);
  EXPECT_FALSE(pending_.Await(true, 0, 0));
  pending_.Append("x", AofPending::Due::kOnDemand);
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
}

TEST_F(AofPendingTest, ADemandWakesTheWriter) {
  const int64_t offset = pending_.Append("a", AofPending::Due::kOnDemand);
  std::thread demander([&] { pending_.Demand(offset); });
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
  demander.join();
}

TEST_F(AofPendingTest, ANewFileIsDueAtOnce) {
  pending_.Switch({"next", nullptr});
  EXPECT_TRUE(pending_.Await(true, INT64_MAX, 0));
}

TEST_F(AofPendingTest, AwaitEndsWhenBytesAreThereOrItIsWoken) {
  pending_.Append("a");
  pending_.Await(true, INT64_MAX, 0);
  pending_.Wake();
  pending_.Await(false, INT64_MAX, 0);
  TakeAll();
  std::thread appender([this] { pending_.Append("b"); });
  pending_.Await(true, INT64_MAX, 1);
  appender.join();
  EXPECT_EQ(TakeAll(), "b");
}

}  // namespace
}  // namespace cloakroom
