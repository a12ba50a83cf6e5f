#include "replication/link/fan_out_sink.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace cloakroom {
namespace {

constexpr size_t kBlock = FanOutSink::kBlockBytes;

/// Everything that the reader can read now.
std::string ReadAll(FanOutSink& sink, FanOutSink::Reader reader) {
  std::string text;
  for (std::string_view bytes; !(bytes = sink.Peek(reader)).empty();) {
    text += bytes;
    sink.Advance(reader, bytes.size());
  }
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
  EXPECT_EQ(sink.Peek(2).substr(0, 3), "aaa");
  sink.Advance(2, 1000);
  EXPECT_EQ(sink.Peek(2).size(), kBlock - 1000);
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
  EXPECT_EQ(sink.Peek(1), "");
}

TEST(FanOutSinkTest, TheMakerWaitsForTheSlowest) {
  FanOutSink sink([] {}, 2 * kBlock);
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
  FanOutSink sink([] {}, kBlock);
  sink.Join(1);
  std::thread maker([&] { sink.Append(std::string(5 * kBlock, 'x')); });
  sink.Leave(1);
  maker.join();
  EXPECT_EQ(sink.status().code(), absl::StatusCode::kCancelled);
  sink.End();
  EXPECT_FALSE(sink.Done(1));
}

TEST(FanOutSinkTest, GivenUpItWaitsForNobody) {
  FanOutSink sink([] {}, kBlock);
  sink.Join(1);
  std::thread maker([&] { sink.Append(std::string(5 * kBlock, 'x')); });
  sink.GiveUp();
  maker.join();
  EXPECT_EQ(sink.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace cloakroom
