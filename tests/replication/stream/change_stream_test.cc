#include "replication/stream/change_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

constexpr int kKeepsDb = ChangeStream::kKeepsDb;
constexpr auto kChunk = static_cast<int64_t>(StreamChunks::kChunkBytes);

std::string Select(int db) {
  const std::string number = std::to_string(db);
  return absl::StrCat("*2\r\n$6\r\nSELECT\r\n$", number.size(), "\r\n", number, "\r\n");
}

class Reader final : public StreamReader {
 public:
  void StreamMoved() override { ++moved; }
  std::atomic<int> moved = 0;
};

class ChangeStreamTest : public ::testing::Test {
 protected:
  ChangeStreamTest() {
    stream_.Add(reader_);
    stream_.Keep(reader_, 0);
  }
  ~ChangeStreamTest() override { stream_.Remove(reader_); }

  void Append(std::string_view text, int first_db, int last_db) {
    const ChangePlace place = stream_.Reserve(0, text.size(), first_db, last_db);
    stream_.Begin(place).Put(text);
    stream_.Complete(place);
  }
  std::string All() {
    std::string text;
    stream_.Read(0, stream_.Published(), [&](std::string_view piece) { text += piece; });
    return text;
  }

  ChangeStream stream_{2};
  Reader reader_;
};

TEST_F(ChangeStreamTest, SaysADatabaseOnceAndWhenItChanges) {
  Append("a", 3, 3);
  Append("b", 3, 12);
  Append("c", 12, 12);
  stream_.Append("ping");
  Append("d", 3, 3);
  EXPECT_EQ(All(), absl::StrCat(Select(3), "abcping", Select(3), "d"));
  EXPECT_EQ(stream_.tail(), static_cast<int64_t>(All().size()));
}

TEST_F(ChangeStreamTest, ADatabaseWithAHugeNumberIsSelectedEachTime) {
  Append("a", 5000, 5000);
  Append("b", 5000, 5000);
  Append("c", 3, 5000);
  Append("d", 0, 0);
  EXPECT_EQ(All(),
            absl::StrCat(Select(5000), "a", Select(5000), "b", Select(3), "c", Select(0), "d"));
}

TEST_F(ChangeStreamTest, ReadersStopBeforeTheFirstRecordThatIsNotComplete) {
  Append("a", kKeepsDb, kKeepsDb);
  const ChangePlace first = stream_.Reserve(0, 1, kKeepsDb, kKeepsDb);
  const ChangePlace second = stream_.Reserve(1, 1, kKeepsDb, kKeepsDb);
  const ChangePlace third = stream_.Reserve(ChangeStream::kNoSlot, 1, kKeepsDb, kKeepsDb);
  EXPECT_EQ(stream_.tail(), 4);
  stream_.Begin(second).Put("c");
  stream_.Complete(second);
  EXPECT_EQ(All(), "a");
  stream_.Begin(first).Put("b");
  stream_.Complete(first);
  EXPECT_EQ(All(), "abc");
  stream_.Begin(third).Put("d");
  stream_.Complete(third);
  EXPECT_EQ(All(), "abcd");
}

TEST_F(ChangeStreamTest, AnEmptyRecordHoldsReadersBackToo) {
  Append("a", 7, 7);
  int db = kKeepsDb;
  const ChangePlace place = stream_.ReserveEmpty(&db);
  EXPECT_EQ(db, 7);
  EXPECT_EQ(place.begin, place.end);
  Append("b", 7, 7);
  EXPECT_EQ(All(), Select(7) + "a");
  stream_.Complete(place);
  EXPECT_EQ(All(), Select(7) + "ab");
}

TEST_F(ChangeStreamTest, AnotherStreamsBytesBecomePartOfItWhereARecordEnds) {
  const std::string text = Select(5) + std::string(2 * StreamChunks::kChunkBytes, 'x');
  for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
    const std::span<char> room = stream_.Room(at);
    at += static_cast<int64_t>(text.copy(room.data(), room.size(), static_cast<size_t>(at)));
  }
  EXPECT_EQ(stream_.Published(), 0);
  stream_.Extend(static_cast<int64_t>(text.size()), 5);
  EXPECT_EQ(All(), text);
  EXPECT_EQ(stream_.selected_db(), 5);
  EXPECT_EQ(stream_.RecordEnd(kChunk, 10 * kChunk), static_cast<int64_t>(text.size()));
  Append("y", 5, 5);
  EXPECT_EQ(All(), text + "y") << "its database is selected";
  stream_.SetDb(kKeepsDb);
  Append("z", 5, 5);
  EXPECT_EQ(All(), text + "y" + Select(5) + "z");
}

TEST_F(ChangeStreamTest, ReadersAreToldWhileTheyListen) {
  stream_.Append("a");
  EXPECT_EQ(reader_.moved, 0);
  stream_.Listen();
  stream_.Append("b");
  EXPECT_EQ(reader_.moved, 1);
  stream_.EndListening();
  stream_.Append("c");
  EXPECT_EQ(reader_.moved, 1);
}

TEST_F(ChangeStreamTest, WhatNoReaderKeepsIsFreed) {
  Reader other;
  stream_.Add(other);
  stream_.Keep(other, 0);
  for (int i = 0; i < 100; ++i) stream_.Append(std::string(StreamChunks::kChunkBytes, 'x'));
  EXPECT_EQ(stream_.memory(), 100 * kChunk);
  stream_.Keep(reader_, 100 * kChunk);
  EXPECT_EQ(stream_.memory(), 100 * kChunk) << "the other keeps it";
  stream_.Keep(other, 50 * kChunk);
  EXPECT_LT(stream_.memory(), 60 * kChunk);
  EXPECT_GE(stream_.memory(), 50 * kChunk);
  stream_.Keep(other, ChangeStream::kNothing);
  EXPECT_LT(stream_.memory(), 10 * kChunk);
  stream_.Remove(other);
}

TEST_F(ChangeStreamTest, ALongRangeCanBeCutWhereARecordEnds) {
  const std::string record(1000, 'x');
  for (int i = 0; i < 300; ++i) stream_.Append(record);
  const int64_t end = stream_.Published();
  for (int64_t from = 1; from < end; from += 7919) {
    const int64_t cut = stream_.RecordEnd(from, end);
    ASSERT_GE(cut, from);
    ASSERT_LT(cut - from, 2 * kChunk);
    ASSERT_EQ(cut % 1000, 0);
  }
}

/// Every thread appends numbered records, each in its thread's database; a reader checks them.
class Checker {
 public:
  Checker(int threads, int records) : next_(static_cast<size_t>(threads), 0), records_(records) {}

  void Take(std::string_view bytes) {
    rest_.append(bytes);
    size_t at = 0;
    while (at < rest_.size()) {
      const size_t end = rest_.find(rest_[at] == '*' ? "\r\n\r\n" : ";", at);
      if (rest_[at] == '*') {
        TakeSelect(at);
      } else if (end == std::string::npos) {
        break;
      } else {
        TakeRecord(std::string_view(rest_).substr(at, end - at));
        at = end + 1;
      }
      if (waits_) break;
    }
    waits_ = false;
    rest_.erase(0, at);
  }
  bool done() const {
    for (const int next : next_) {
      if (next != records_) return false;
    }
    return true;
  }
  bool failed() const { return failed_; }

 private:
  void TakeSelect(size_t& at) {
    for (int db = 0; db < static_cast<int>(next_.size()); ++db) {
      const std::string select = Select(db);
      if (std::string_view(rest_).substr(at).starts_with(select)) {
        selected_ = db;
        at += select.size();
        return;
      }
    }
    waits_ = true;
  }
  /// "thread number filling"
  void TakeRecord(std::string_view record) {
    int thread = -1;
    int number = -1;
    const auto end = std::from_chars(record.data(), record.data() + record.size(), thread).ptr;
    std::from_chars(end + 1, record.data() + record.size(), number);
    failed_ = failed_ || thread != selected_ || number != next_[static_cast<size_t>(thread)]++;
  }

  std::vector<int> next_;
  const int records_;
  std::string rest_;
  int selected_ = -1;
  bool waits_ = false;
  bool failed_ = false;
};

TEST(ChangeStreamThreadsTest, EveryRecordIsReadOnceInOrderAndInItsDatabase) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 20'000;
  // Two threads have slots; the others lease them.
  ChangeStream stream(2);
  Reader reader;
  stream.Add(reader);
  stream.Keep(reader, 0);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&stream, t] {
      for (int i = 0; i < kRecords; ++i) {
        const std::string record =
            absl::StrCat(t, " ", i, " ", std::string(static_cast<size_t>(i % 200), 'x'), ";");
        const ChangePlace place = stream.Reserve(t, record.size(), t, t);
        if (i % 1000 == 0) std::this_thread::yield();
        stream.Begin(place).Put(record);
        stream.Complete(place);
      }
    });
  }
  Checker checker(kThreads, kRecords);
  int64_t read = 0;
  while (!checker.done() && !checker.failed()) {
    const int64_t published = stream.Published();
    if (published <= read) continue;
    stream.Read(read, published, [&](std::string_view piece) { checker.Take(piece); });
    read = published;
    stream.Keep(reader, read);
  }
  EXPECT_FALSE(checker.failed());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stream.Published(), stream.tail());
  EXPECT_LT(stream.memory(), 100 * kChunk);
  stream.Remove(reader);
}

}  // namespace
}  // namespace cloakroom
