#include "replication/stream/stream_chunks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace cloakroom {
namespace {

constexpr auto kChunk = static_cast<int64_t>(StreamChunks::kChunkBytes);

TEST(StreamChunksTest, PiecesEndWhereChunksEnd) {
  StreamChunks chunks;
  std::memcpy(chunks.At(kChunk - 3), "abc", 3);
  std::memcpy(chunks.At(kChunk), "de", 2);
  EXPECT_EQ(StreamChunks::RoomAt(kChunk - 3), 3U);
  EXPECT_EQ(StreamChunks::RoomAt(kChunk), StreamChunks::kChunkBytes);
  EXPECT_EQ(chunks.Read(kChunk - 3, kChunk + 2), "abc");
  EXPECT_EQ(chunks.Read(kChunk, kChunk + 2), "de");
  EXPECT_EQ(chunks.Read(kChunk - 2, kChunk - 1), "b");
}

TEST(StreamChunksTest, TrimmedMemoryIsKeptForTheNextChunks) {
  StreamChunks chunks;
  for (int64_t i = 0; i < 100; ++i) *chunks.At(i * kChunk) = 'x';
  EXPECT_EQ(chunks.memory(), 100 * kChunk);
  chunks.Trim(90 * kChunk + 1);
  const auto spares = static_cast<int64_t>(StreamChunks::kMaxSpares);
  EXPECT_EQ(chunks.memory(), (10 + spares) * kChunk);
  *chunks.At(100 * kChunk) = 'y';
  EXPECT_EQ(chunks.memory(), (10 + spares) * kChunk);
  EXPECT_EQ(chunks.Read(90 * kChunk, 90 * kChunk + 1), "x");
  chunks.Trim(50 * kChunk);
  EXPECT_EQ(chunks.Read(90 * kChunk, 90 * kChunk + 1), "x") << "it never goes back";
}

TEST(StreamChunksTest, ItHoldsMoreThanItsFirstRing) {
  StreamChunks chunks;
  constexpr int64_t kChunks = 1000;
  for (int64_t i = 0; i < kChunks; ++i) std::memcpy(chunks.At(i * kChunk + 7), &i, sizeof(i));
  for (int64_t i = 0; i < kChunks; ++i) {
    int64_t read = -1;
    std::memcpy(&read, chunks.At(i * kChunk + 7), sizeof(read));
    ASSERT_EQ(read, i);
  }
}

TEST(StreamChunksTest, ARecordsEndIsFoundOnceInAChunk) {
  StreamChunks chunks;
  for (int64_t i = 0; i < 5; ++i) *chunks.At(i * kChunk) = 'x';
  chunks.NoteRecordEnd(kChunk + 10);
  chunks.NoteRecordEnd(3 * kChunk + 20);
  EXPECT_EQ(chunks.RecordEnd(0, 4 * kChunk), kChunk + 10);
  EXPECT_EQ(chunks.RecordEnd(kChunk + 10, 4 * kChunk), kChunk + 10);
  EXPECT_EQ(chunks.RecordEnd(kChunk + 11, 4 * kChunk), 3 * kChunk + 20);
  EXPECT_EQ(chunks.RecordEnd(0, kChunk + 9), kChunk + 9) << "the limit";
  EXPECT_EQ(chunks.RecordEnd(3 * kChunk + 21, 5 * kChunk), 5 * kChunk);
}

TEST(StreamChunksTest, ThreadsThatNeedTheSameChunkGetTheSame) {
  StreamChunks chunks;
  constexpr int kThreads = 4;
  constexpr int64_t kChunks = 600;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&chunks, t] {
      for (int64_t i = 0; i < kChunks; ++i) *chunks.At(i * kChunk + t) = static_cast<char>('a' + t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int64_t i = 0; i < kChunks; ++i) {
    ASSERT_EQ(chunks.Read(i * kChunk, i * kChunk + kThreads), "abcd");
  }
  EXPECT_EQ(chunks.memory(), kChunks * kChunk);
}

}  // namespace
}  // namespace cloakroom
