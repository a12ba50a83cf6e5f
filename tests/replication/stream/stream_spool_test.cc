#include "replication/stream/stream_spool.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

constexpr int64_t kMegabyte = 1 << 20;
constexpr int64_t kNobody = StreamSpool::kNobody;
constexpr StreamSpool::Memory kMemory = {.backlog = kMegabyte, .most = 9 * kMegabyte};

class StreamSpoolTest : public testing::Test, private StreamReader {
 protected:
  StreamSpoolTest() {
    stream_.Add(*this);
    stream_.Keep(*this, 0);
  }
  ~StreamSpoolTest() override { stream_.Remove(*this); }
  void StreamMoved() override {}

  /// A megabyte of records that differ.
  void Write(int64_t megabytes) {
    for (int64_t i = 0; i < megabytes; ++i) {
      const std::string record(kMegabyte / 16, static_cast<char>('a' + all_.size() / 65536 % 26));
      for (int n = 0; n < 16; ++n) stream_.Append(record);
      for (int n = 0; n < 16; ++n) all_ += record;
    }
  }
  /// Copies all that is due; returns how many pieces that took.
  int CopyAll(int64_t slowest) {
    int pieces = 0;
    while (std::optional<StreamSpool::Piece> piece =
               spool_.Next(slowest, stream_.Published(), kMemory)) {
      EXPECT_EQ(spool_.copying(), piece->begin);
      EXPECT_LE(piece->end - piece->begin, StreamSpool::kCopyBytes);
      const absl::Status status = StreamSpool::Copy(stream_, *piece);
      spool_.Copied(status);
      if (!status.ok()) return -1;
      ++pieces;
    }
    return pieces;
  }
  /// What a replica at the cursor is sent next.
  std::string Spooled(int64_t cursor, size_t bytes) {
    std::string text(bytes, '\0');
    const std::shared_ptr<Spool> spool = spool_.SpoolAt(cursor);
    if (spool == nullptr) return "in memory";
    text.resize(spool->Read(cursor, std::span(text)).value_or(0));
    return text;
  }
  std::string Wanted(int64_t cursor, size_t bytes) {
    return all_.substr(static_cast<size_t>(cursor), bytes);
  }

  FaultyFiles files_;
  std::shared_ptr<SpoolSpace> space_ = std::make_shared<SpoolSpace>(files_, ".", 100 * kMegabyte);
  ChangeStream stream_{1};
  StreamSpool spool_{space_};
  std::string all_;
};

TEST_F(StreamSpoolTest, NothingIsCopiedBeforeMemoryIsHalfFull) {
  Write(5);
  EXPECT_EQ(CopyAll(0), 0);
  EXPECT_EQ(spool_.InMemory(0), 0);
  EXPECT_EQ(spool_.copying(), kNobody);
  Write(1);
  EXPECT_EQ(CopyAll(kNobody), 0) << "no replica";
  EXPECT_EQ(CopyAll(2 * kMegabyte), 0) << "the slowest is not far behind";
  EXPECT_EQ(CopyAll(0), 1);
  EXPECT_EQ(spool_.InMemory(0), 3 * kMegabyte) << "the backlog and a quarter of the rest";
}

TEST_F(StreamSpoolTest, EachReplicaReadsOnWhereItsBytesAre) {
  Write(40);
  EXPECT_GT(CopyAll(100), 3);
  const int64_t kept = spool_.InMemory(100);
  EXPECT_EQ(kept, 37 * kMegabyte) << "the backlog and a quarter of the rest";
  EXPECT_EQ(Spooled(100, 3000), Wanted(100, 3000));
  EXPECT_EQ(Spooled(20 * kMegabyte - 7, 3000), Wanted(20 * kMegabyte - 7, 3000));
  EXPECT_EQ(spool_.InMemory(20 * kMegabyte), kept);
  EXPECT_EQ(Spooled(kept, 1), "in memory");
  EXPECT_EQ(spool_.InMemory(kept + 5), kept + 5);
}

TEST_F(StreamSpoolTest, ItGrowsWhileTheSlowestReadsAndGivesBackWhatItHasRead) {
  Write(30);
  CopyAll(0);
  Write(10);
  CopyAll(21 * kMegabyte);
  EXPECT_EQ(Spooled(30 * kMegabyte, 10), Wanted(30 * kMegabyte, 10));
  EXPECT_LE(space_->used(), 16 * kMegabyte);
}

TEST_F(StreamSpoolTest, ItIsGoneWhenNobodyNeedsIt) {
  Write(30);
  CopyAll(0);
  EXPECT_GT(space_->used(), 0);
  EXPECT_EQ(CopyAll(28 * kMegabyte), 0);
  EXPECT_EQ(space_->used(), 0);
  Write(20);
  CopyAll(28 * kMegabyte);
  EXPECT_EQ(Spooled(29 * kMegabyte, 10), Wanted(29 * kMegabyte, 10)) << "a new one";
  CopyAll(kNobody);
  EXPECT_EQ(space_->used(), 0) << "the last replica has gone";
}

TEST_F(StreamSpoolTest, AReplicaThatGoesDuringACopyDoesNotFreeWhatIsCopied) {
  Write(30);
  const std::optional<StreamSpool::Piece> piece = spool_.Next(0, stream_.Published(), kMemory);
  ASSERT_TRUE(piece);
  EXPECT_EQ(spool_.Next(kNobody, stream_.Published(), kMemory), std::nullopt);
  EXPECT_EQ(spool_.copying(), 0);
  spool_.Copied(StreamSpool::Copy(stream_, *piece));
  EXPECT_EQ(spool_.copying(), kNobody);
}

TEST_F(StreamSpoolTest, AReplicaThatComesBackToBeforeTheSpoolReadsInMemory) {
  Write(30);
  CopyAll(2 * kMegabyte);
  const int64_t kept = spool_.InMemory(2 * kMegabyte);
  EXPECT_EQ(spool_.InMemory(kMegabyte), kMegabyte);
  Write(10);
  EXPECT_EQ(CopyAll(kMegabyte), 0) << "the spool would have a hole";
  EXPECT_EQ(Spooled(kept - 5, 5), Wanted(kept - 5, 5));
  EXPECT_GT(CopyAll(2 * kMegabyte), 0) << "it has caught up";
  EXPECT_EQ(Spooled(kept - 5, 3000), Wanted(kept - 5, 3000));
}

TEST_F(StreamSpoolTest, ADiskThatFailsAtTheNthCallLosesNothing) {
  Write(30);
  for (int n = 1; n < 40; ++n) {
    files_.FailNth(n);
    CopyAll(0);
    files_.Heal();
    const int64_t kept = spool_.InMemory(0);
    for (int64_t cursor = 0; cursor < kept; cursor += kMegabyte / 3) {
      ASSERT_EQ(Spooled(cursor, 100), Wanted(cursor, 100).substr(0, kept - cursor)) << n;
    }
    EXPECT_GE(CopyAll(0), 0);
    EXPECT_TRUE(spool_.works());
    EXPECT_GE(spool_.InMemory(0), 25 * kMegabyte);
    EXPECT_LE(spool_.InMemory(0), 27 * kMegabyte);
    CopyAll(kNobody);
  }
}

TEST_F(StreamSpoolTest, AFullDiskKeepsTheRestInMemory) {
  Write(30);
  space_->set_limit(10 * kMegabyte);
  EXPECT_EQ(CopyAll(0), -1);
  EXPECT_FALSE(spool_.works());
  EXPECT_EQ(spool_.InMemory(0), 10 * kMegabyte);
  EXPECT_EQ(Spooled(9 * kMegabyte, 10), Wanted(9 * kMegabyte, 10));
  space_->set_limit(0);
  EXPECT_EQ(CopyAll(0), 0) << "turned off, it keeps what it has";
  EXPECT_EQ(Spooled(9 * kMegabyte, 10), Wanted(9 * kMegabyte, 10));
}

TEST_F(StreamSpoolTest, ALargeBacklogLeavesRoomForReplicas) {
  const StreamSpool::Memory memory = {.backlog = 20 * kMegabyte, .most = 8 * kMegabyte};
  EXPECT_EQ(memory.bound(), 22 * kMegabyte);
  Write(21);
  EXPECT_EQ(spool_.Next(0, stream_.Published(), memory), std::nullopt);
  Write(1);
  const std::optional<StreamSpool::Piece> piece = spool_.Next(0, stream_.Published(), memory);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->end, 22 * kMegabyte - 20 * kMegabyte - kMegabyte / 2);
}

}  // namespace
}  // namespace cloakroom
