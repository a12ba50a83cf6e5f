#include "replication/aof_pending.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/replication/support/manual_clock.h"

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

  ManualClock clock_;
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

TEST_F(AofPendingTest, ATimestampStandsBeforeTheFirstRecordOfASecond) {
  pending_.set_timestamps(true);
  EXPECT_EQ(pending_.Append("a"), 17);
  pending_.Append("b");
  clock_.AdvanceMs(1000);
  pending_.Append("c");
  pending_.Switch({"next", nullptr});
  pending_.Append("d");
  EXPECT_EQ(TakeAll(), "#TS:1700000000\r\nab#TS:1700000001\r\nc<next>#TS:1700000001\r\nd");
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
