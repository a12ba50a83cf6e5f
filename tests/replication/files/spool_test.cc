#include "replication/files/spool.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

constexpr int64_t kLimit = 100;

class SpoolTest : public testing::Test {
 protected:
  std::string Read(const Spool& spool, int64_t place, size_t most = 1000) {
    std::string bytes(most, '\0');
    const absl::StatusOr<size_t> size = spool.Read(place, std::span(bytes));
    EXPECT_TRUE(size.ok()) << size.status();
    bytes.resize(size.value_or(0));
    return bytes;
  }

  FaultyFiles files_;
  std::shared_ptr<SpoolSpace> space_ = std::make_shared<SpoolSpace>(files_, ".", kLimit);
};

TEST_F(SpoolTest, GivesBackWhatItTook) {
  const std::shared_ptr<Spool> spool = space_->Make(1000);
  EXPECT_TRUE(spool->Append("abc").ok());
  EXPECT_TRUE(spool->Append("defg").ok());
  EXPECT_EQ(spool->begin(), 1000);
  EXPECT_EQ(spool->end(), 1007);
  EXPECT_EQ(Read(*spool, 1000), "abcdefg");
  EXPECT_EQ(Read(*spool, 1002, 3), "cde");
  EXPECT_EQ(space_->used(), 7);
  EXPECT_TRUE(files_.Paths().empty()) << "its file has no name";
}

TEST_F(SpoolTest, AllSpoolsTogetherKeepTheLimit) {
  std::shared_ptr<Spool> one = space_->Make(0);
  const std::shared_ptr<Spool> other = space_->Make(0);
  EXPECT_TRUE(one->Append(std::string(60, 'a')).ok());
  const absl::Status refused = other->Append(std::string(41, 'b'));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(other->end(), 0);
  EXPECT_TRUE(other->Append(std::string(40, 'b')).ok());
  one.reset();
  EXPECT_EQ(space_->used(), 40);
  EXPECT_TRUE(other->Append(std::string(60, 'c')).ok());
  EXPECT_EQ(Read(*other, 39, 2), "bc");
  space_->set_limit(0);
  EXPECT_TRUE(space_->off());
  EXPECT_FALSE(other->Append("d").ok());
}

TEST_F(SpoolTest, TheDiskKeepsAsMuchAsSpoolsTake) {
  files_.SetCapacity(100);
  const std::shared_ptr<Spool> spool = space_->Make(0);
  EXPECT_TRUE(spool->Append(std::string(50, 'a')).ok());
  EXPECT_EQ(spool->Append("b").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(space_->used(), 50);
}

TEST_F(SpoolTest, AnAppendThatFailsAddsNothing) {
  // The first call makes the file, the second writes.
  for (int n = 1; n <= 2; ++n) {
    const std::shared_ptr<Spool> spool = space_->Make(0);
    files_.FailNth(n);
    EXPECT_FALSE(spool->Append("abc").ok()) << n;
    EXPECT_EQ(spool->end(), 0);
    EXPECT_EQ(space_->used(), 0);
    EXPECT_TRUE(spool->Append("def").ok());
    EXPECT_EQ(Read(*spool, 0), "def");
  }
}

TEST_F(SpoolTest, AReadThatFailsSaysSo) {
  const std::shared_ptr<Spool> spool = space_->Make(0);
  ASSERT_TRUE(spool->Append("abc").ok());
  files_.FailNth(1, FaultyFiles::Call::kRead);
  std::string bytes(3, '\0');
  EXPECT_FALSE(spool->Read(0, std::span(bytes)).ok());
  EXPECT_EQ(Read(*spool, 0), "abc");
}

TEST_F(SpoolTest, WhatNobodyNeedsIsGivenBackInLargePieces) {
  constexpr int64_t kMegabyte = 1 << 20;
  space_->set_limit(12 * kMegabyte);
  const std::shared_ptr<Spool> spool = space_->Make(5);
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(spool->Append(std::string(kMegabyte, static_cast<char>('a' + i))).ok());
  }
  spool->Discard(5 + 3 * kMegabyte);
  EXPECT_EQ(spool->begin(), 5);
  spool->Discard(5 + 9 * kMegabyte + 1);
  EXPECT_EQ(spool->begin(), 5 + 8 * kMegabyte);
  EXPECT_EQ(space_->used(), 4 * kMegabyte);
  EXPECT_EQ(Read(*spool, 5 + 9 * kMegabyte + 1, 1), "j");
  EXPECT_TRUE(spool->Append(std::string(kMegabyte, 'm')).ok());
  EXPECT_EQ(Read(*spool, 5 + 12 * kMegabyte - 1, 2), "lm");
}

TEST(SpoolOnDiskTest, TheSystemsFilesDoTheSame) {
  const auto space = std::make_shared<SpoolSpace>(SystemFiles(), testing::TempDir(), 64 << 20);
  const std::shared_ptr<Spool> spool = space->Make(7);
  std::string all;
  for (int i = 0; i < 9; ++i) {
    const std::string piece(1 << 20, static_cast<char>('a' + i));
    ASSERT_TRUE(spool->Append(piece).ok());
    all += piece;
  }
  spool->Discard(7 + (5 << 20));
  std::string bytes(3 << 20, '\0');
  const absl::StatusOr<size_t> size = spool->Read(7 + (5 << 20), std::span(bytes));
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(*size, bytes.size());
  EXPECT_EQ(bytes, all.substr(5 << 20, 3 << 20));
  const absl::StatusOr<size_t> end = spool->Read(spool->end() - 2, std::span(bytes));
  EXPECT_EQ(end.value_or(0), 2U);
}

}  // namespace
}  // namespace cloakroom
