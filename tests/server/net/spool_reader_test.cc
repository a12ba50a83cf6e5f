#include "server/net/spool_reader.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

class SpoolReaderTest : public testing::Test {
 protected:
  /// The disk thread runs what it was posted.
  void RunDisk() {
    for (; !jobs_.empty(); jobs_.pop_front()) jobs_.front()();
  }
  std::string Peek(const std::shared_ptr<Spool>& spool, int64_t place) {
    const absl::StatusOr<std::string_view> bytes = reader_->Peek(spool, place);
    return bytes.ok() ? std::string(*bytes) : "error";
  }
  std::shared_ptr<Spool> SpoolOf(std::string_view bytes) {
    std::shared_ptr<Spool> spool = space_->Make(10);
    EXPECT_TRUE(spool->Append(bytes).ok());
    return spool;
  }

  FaultyFiles files_;
  std::shared_ptr<SpoolSpace> space_ = std::make_shared<SpoolSpace>(files_, ".", 1 << 30);
  std::deque<std::function<void()>> jobs_;
  int done_ = 0;
  std::unique_ptr<SpoolReader> reader_ = std::make_unique<SpoolReader>(
      [this](std::function<void()> job) { jobs_.push_back(std::move(job)); }, [this] { ++done_; });
};

TEST_F(SpoolReaderTest, BytesComeWhenTheDiskHasReadThem) {
  const std::shared_ptr<Spool> spool = SpoolOf("abcdef");
  EXPECT_EQ(Peek(spool, 11), "");
  EXPECT_EQ(Peek(spool, 11), "") << "one read at a time";
  EXPECT_EQ(jobs_.size(), 1U);
  RunDisk();
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(Peek(spool, 11), "bcdef");
  EXPECT_EQ(Peek(spool, 14), "ef");
  EXPECT_TRUE(jobs_.empty());
  EXPECT_EQ(Peek(spool, 10), "") << "what lies before is read anew";
}

TEST_F(SpoolReaderTest, ItReadsOnWhereItsBytesEnd) {
  const std::string text =
      std::string(SpoolReader::kReadBytes, 'a') + std::string(SpoolReader::kReadBytes, 'b') + "c";
  const std::shared_ptr<Spool> spool = SpoolOf(text);
  std::string got;
  while (got.size() < text.size()) {
    got += Peek(spool, 10 + static_cast<int64_t>(got.size()));
    RunDisk();
  }
  EXPECT_EQ(got, text);
  EXPECT_EQ(done_, 3);
}

TEST_F(SpoolReaderTest, AnotherSpoolHasOtherBytes) {
  const std::shared_ptr<Spool> one = SpoolOf("one");
  const std::shared_ptr<Spool> other = SpoolOf("other");
  EXPECT_EQ(Peek(one, 10), "");
  EXPECT_EQ(Peek(other, 10), "") << "the first is still being read";
  RunDisk();
  EXPECT_EQ(Peek(other, 10), "");
  RunDisk();
  EXPECT_EQ(Peek(other, 10), "other");
}

TEST_F(SpoolReaderTest, AFailureIsAnError) {
  const std::shared_ptr<Spool> spool = SpoolOf("abc");
  files_.FailNth(1, FaultyFiles::Call::kRead);
  Peek(spool, 10);
  RunDisk();
  EXPECT_EQ(Peek(spool, 10), "error");
  EXPECT_EQ(Peek(spool, 10), "error") << "and stays one";
}

TEST_F(SpoolReaderTest, AJobMayOutliveIt) {
  Peek(SpoolOf("abc"), 10);
  reader_.reset();
  RunDisk();
  EXPECT_EQ(done_, 1);
  EXPECT_EQ(space_->used(), 0) << "the job kept the spool";
}

}  // namespace
}  // namespace cloakroom
