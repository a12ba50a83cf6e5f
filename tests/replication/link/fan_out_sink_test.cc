#include "replication/link/fan_out_sink.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

constexpr size_t kBlock = FanOutSink::kBlockBytes;

/// What the reader can read next, up to `most` bytes, wherever it is.
std::string ReadNext(FanOutSink& sink, FanOutSink::Reader reader, size_t most) {
  const FanOutSink::Next next = sink.Peek(reader);
  if (next.spool == nullptr) return std::string(next.bytes.substr(0, most));
  std::string bytes(most, '\0');
  bytes.resize(next.spool->Read(next.place, std::span(bytes)).value_or(0));
  EXPECT_FALSE(bytes.empty());
  return bytes;
}

/// Everything that the reader can read now.
std::string ReadAll(FanOutSink& sink, FanOutSink::Reader reader) {
  std::string text;
  for (std::string bytes; !(bytes = ReadNext(sink, reader, kBlock)).empty();) {
    text += bytes;
    sink.Advance(reader, bytes.size());
  }
  return text;
}

/// Blocks that differ.
std::string Blocks(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::string(kBlock, static_cast<char>('a' + i % 26));
  return text;
}

TEST(FanOutSinkTest, EveryReaderGetsEverythingAtItsOwnSpeed) {
  int moved = 0;
  FanOutSink sink([&] { ++moved; });
  sink.Join(1);
  sink.Join(2);
  const std::string text = std::string(kBlock, 'a') + std::string(kBlock, 'b') + "end";
  sink.Append(text);
  EXPECT_EQ(moved, 2) << "full blocks";
  EXPECT_EQ(ReadAll(sink, 1), text.substr(0, 2 * kBlock));
  EXPECT_FALSE(sink.Done(1));
  EXPECT_EQ(sink.Peek(2).bytes.substr(0, 3), "aaa");
  sink.Advance(2, 1000);
  EXPECT_EQ(sink.Peek(2).bytes.size(), kBlock - 1000);
  sink.End();
  EXPECT_EQ(moved, 3);
  EXPECT_EQ(ReadAll(sink, 1), "end");
  EXPECT_TRUE(sink.Done(1));
  EXPECT_FALSE(sink.Done(2));
  EXPECT_EQ(ReadAll(sink, 2), text.substr(1000));
  EXPECT_TRUE(sink.Done(2));
  EXPECT_TRUE(sink.status().ok());
}

TEST(FanOutSinkTest, AnEmptyOneIsDoneWhenItEnds) {
  FanOutSink sink([] {});
  sink.Join(1);
  EXPECT_FALSE(sink.Done(1));
  sink.End();
  EXPECT_TRUE(sink.Done(1));
  EXPECT_EQ(sink.Peek(1).bytes, "");
}

TEST(FanOutSinkTest, TheMakerWaitsForTheSlowest) {
  FanOutSink sink([] {}, nullptr, 2 * kBlock);
  sink.Join(1);
  sink.Join(2);
  std::atomic<size_t> made = 0;
  std::thread maker([&] {
    const std::string block(kBlock, 'x');
    for (int i = 0; i < 10; ++i) {
      sink.Append(block);
      made += kBlock;
    }
    sink.End();
  });
  size_t read = 0;
  while (!sink.Done(1)) {
    read += ReadAll(sink, 1).size();
    EXPECT_LE(made, 2 * kBlock + kBlock) << "the other has read nothing";
    if (read == 3 * kBlock) break;
    std::this_thread::yield();
  }
  sink.Leave(2);
  while (!sink.Done(1)) {
    read += ReadAll(sink, 1).size();
    std::this_thread::yield();
  }
  EXPECT_EQ(read, 10 * kBlock);
  maker.join();
}

TEST(FanOutSinkTest, WithoutReadersItTakesNothing) {
  FanOutSink sink([] {}, nullptr, kBlock);
  sink.Join(1);
  std::thread maker([&] { sink.Append(std::string(5 * kBlock, 'x')); });
  sink.Leave(1);
  maker.join();
  EXPECT_EQ(sink.status().code(), absl::StatusCode::kCancelled);
  sink.End();
  EXPECT_FALSE(sink.Done(1));
}

TEST(FanOutSinkTest, GivenUpItWaitsForNobody) {
  FanOutSink sink([] {}, nullptr, kBlock);
  sink.Join(1);
  std::thread maker([&] { sink.Append(std::string(5 * kBlock, 'x')); });
  sink.GiveUp();
  maker.join();
  EXPECT_EQ(sink.status().code(), absl::StatusCode::kCancelled);
}

class SpooledFanOutSinkTest : public testing::Test {
 protected:
  FaultyFiles files_;
  std::shared_ptr<SpoolSpace> space_ = std::make_shared<SpoolSpace>(files_, ".", 1 << 30);
};

TEST_F(SpooledFanOutSinkTest, TheMakerWaitsForNobody) {
  FanOutSink sink([] {}, space_, 2 * kBlock);
  sink.Join(1);
  sink.Join(2);
  const std::string text = Blocks(40) + "end";
  sink.Append(text);
  sink.End();
  EXPECT_EQ(space_->used(), static_cast<int64_t>(38 * kBlock));
  EXPECT_EQ(sink.HoldsUp(), std::nullopt);
  EXPECT_EQ(ReadAll(sink, 1), text);
  EXPECT_TRUE(sink.Done(1));
  EXPECT_EQ(ReadAll(sink, 2), text);
  EXPECT_TRUE(sink.Done(2));
  EXPECT_EQ(space_->used(), 0) << "nobody needs it";
}

TEST_F(SpooledFanOutSinkTest, AFastReaderReadsInMemoryBesideASlowOne) {
  FanOutSink sink([] {}, space_, 2 * kBlock);
  sink.Join(1);
  sink.Join(2);
  const std::string text = Blocks(30);
  std::string fast;
  for (int i = 0; i < 30; ++i) {
    sink.Append(std::string_view(text).substr(i * kBlock, kBlock));
    EXPECT_EQ(sink.Peek(1).spool, nullptr);
    fast += ReadAll(sink, 1);
  }
  EXPECT_EQ(fast, text);
  EXPECT_EQ(ReadAll(sink, 2), text);
}

TEST_F(SpooledFanOutSinkTest, ABlockThatIsBeingReadMayGoToTheSpool) {
  FanOutSink sink([] {}, space_, 2 * kBlock);
  sink.Join(1);
  const std::string text = Blocks(9);
  sink.Append(std::string_view(text).substr(0, kBlock));
  const std::string_view bytes = sink.Peek(1).bytes;
  sink.Append(std::string_view(text).substr(kBlock));
  EXPECT_EQ(bytes, text.substr(0, kBlock));
  sink.Advance(1, 10);
  EXPECT_EQ(ReadAll(sink, 1), text.substr(10));
}

TEST_F(SpooledFanOutSinkTest, OneThatCaughtUpAndFellBehindAgain) {
  FanOutSink sink([] {}, space_, 2 * kBlock);
  sink.Join(1);
  const std::string text = Blocks(24);
  std::string got;
  for (int i = 0; i < 3; ++i) {
    sink.Append(std::string_view(text).substr(i * 8 * kBlock, 8 * kBlock));
    // To the end of the spool only, to the end of all, not at all.
    if (i == 0) {
      for (int n = 0; n < 6; ++n) {
        const std::string bytes = ReadNext(sink, 1, kBlock);
        got += bytes;
        sink.Advance(1, bytes.size());
      }
      EXPECT_EQ(sink.Peek(1).spool, nullptr);
    } else if (i == 1) {
      got += ReadAll(sink, 1);
    }
  }
  got += ReadAll(sink, 1);
  EXPECT_EQ(got, text);
}

TEST_F(SpooledFanOutSinkTest, WhenTheSpoolIsFullTheMakerWaits) {
  space_->set_limit(5 * kBlock);
  FanOutSink sink([] {}, space_, 2 * kBlock);
  sink.Join(1);
  sink.Join(2);
  const std::string text = Blocks(20);
  std::thread maker([&] {
    sink.Append(text);
    sink.End();
  });
  while (sink.HoldsUp() == std::nullopt) std::this_thread::yield();
  sink.Advance(1, 1);
  std::string got;
  EXPECT_EQ(sink.HoldsUp().value_or(2), 2U) << "it has read less";
  sink.Leave(2);
  while (!sink.Done(1)) {
    got += ReadAll(sink, 1);
    std::this_thread::yield();
  }
  maker.join();
  EXPECT_EQ(got, text.substr(1));
}

TEST_F(SpooledFanOutSinkTest, ADiskThatFailsAtTheNthCallLosesNothing) {
  const std::string text = Blocks(12) + "end";
  for (int n = 1; n < 14; ++n) {
    files_.FailNth(n);
    FanOutSink sink([] {}, space_, 2 * kBlock);
    sink.Join(1);
    std::thread maker([&] {
      sink.Append(text);
      sink.End();
    });
    std::string got;
    while (!sink.Done(1)) {
      got += ReadAll(sink, 1);
      std::this_thread::yield();
    }
    maker.join();
    EXPECT_EQ(got, text) << n;
    files_.Heal();
  }
  EXPECT_EQ(space_->used(), 0);
}

}  // namespace
}  // namespace cloakroom
