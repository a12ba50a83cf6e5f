#include "replication/link/record_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Status = RecordReader::Status;

std::string Command(std::initializer_list<std::string_view> arguments) {
  std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
  for (std::string_view argument : arguments) {
    bytes += "$" + std::to_string(argument.size()) + "\r\n" + std::string(argument) + "\r\n";
  }
  return bytes;
}

/// "GET k" or "[SET k v; DEL x]", and the offset behind it: "GET k @27".
std::string Shown(const RecordReader& reader) {
  std::string shown;
  for (size_t i = 0; i < reader.commands(); i++) {
    if (i > 0) shown += "; ";
    for (std::string_view argument : reader.arguments(i)) {
      if (!shown.empty() && !shown.ends_with(' ')) shown += ' ';
      shown += argument.size() > 100 ? std::to_string(argument.size()) : std::string(argument);
    }
  }
  if (reader.transaction()) shown = "[" + shown + "]";
  return shown + " @" + std::to_string(reader.offset());
}

/// Keeps the pieces, each in memory of its own size, as the reader's contract asks.
class Pieces {
 public:
  std::span<char> Keep(std::string_view bytes) {
    std::vector<char>& piece = pieces_.emplace_back(bytes.begin(), bytes.end());
    return piece;
  }

 private:
  std::deque<std::vector<char>> pieces_;
};

struct Outcome {
  std::vector<std::string> records;
  int64_t offset = 0;
  int64_t pending = 0;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

void ReadAll(RecordReader& reader, Outcome& outcome) {
  Status status;
  while ((status = reader.Next()) == Status::kRecord) outcome.records.push_back(Shown(reader));
  outcome.offset = reader.offset();
  outcome.pending = reader.pending_bytes();
  if (status == Status::kError) outcome.error = std::string(reader.error().message());
}

Outcome ReadInPieces(std::string_view bytes, size_t first, size_t most, RecordLimits limits = {}) {
  Outcome outcome;
  Pieces pieces;
  RecordReader reader(limits);
  for (size_t count = first; !bytes.empty() && outcome.error.empty(); count = most) {
    reader.Feed(pieces.Keep(bytes.substr(0, count)));
    ReadAll(reader, outcome);
    bytes.remove_prefix(std::min(count, bytes.size()));
  }
  // After an error they depend on what had come.
  if (!outcome.error.empty()) outcome.offset = outcome.pending = 0;
  return outcome;
}

/// Reads it whole, cut at every byte and in pieces of every small size, with the same outcome.
Outcome ReadAtEveryCut(const std::string& bytes, RecordLimits limits = {}) {
  Outcome whole = ReadInPieces(bytes, bytes.size(), bytes.size(), limits);
  for (size_t cut = 1; cut < bytes.size(); cut++) {
    EXPECT_EQ(ReadInPieces(bytes, cut, bytes.size(), limits), whole) << "cut at " << cut;
  }
  for (size_t size = 1; size < 50; size++) {
    EXPECT_EQ(ReadInPieces(bytes, size, size, limits), whole) << "pieces of " << size;
  }
  return whole;
}

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << ::testing::PrintToString(outcome.records) << " offset " << outcome.offset << " pending "
       << outcome.pending << " " << outcome.error;
}

TEST(RecordReaderTest, ReadsCommandsWithTheirOffsets) {
  const std::string set = Command({"SET", "k", "v"});
  const std::string ping = Command({"PING"});
  const Outcome outcome = ReadAtEveryCut(set + ping + set);
  EXPECT_THAT(outcome.records, ElementsAre("SET k v @27", "PING @41", "SET k v @68"));
  EXPECT_EQ(outcome.pending, 0);
}

TEST(RecordReaderTest, ATransactionIsOneRecord) {
  const std::string bytes = Command({"multi"}) + Command({"SET", "k", "v"}) +
                            Command({"HSET", "h", "f", ""}) + Command({"EXEC"});
  const Outcome outcome = ReadAtEveryCut(bytes + bytes);
  const std::string size = std::to_string(bytes.size());
  const std::string twice = std::to_string(2 * bytes.size());
  EXPECT_THAT(outcome.records,
              ElementsAre("[SET k v; HSET h f ] @" + size, "[SET k v; HSET h f ] @" + twice));
}

TEST(RecordReaderTest, AnOpenTransactionIsPending) {
  const std::string bytes = Command({"MULTI"}) + Command({"SET", "k", "v"});
  const Outcome outcome = ReadAtEveryCut(Command({"PING"}) + bytes);
  EXPECT_THAT(outcome.records, ElementsAre("PING @14"));
  EXPECT_EQ(outcome.offset, 14);
  EXPECT_EQ(outcome.pending, static_cast<int64_t>(bytes.size()));
}

TEST(RecordReaderTest, EmptyLinesBeforeAnOpenTransactionAreNotPending) {
  const Outcome outcome = ReadAtEveryCut("\n*0\r\n" + Command({"MULTI"}) + "\n");
  EXPECT_EQ(outcome.offset, 5);
  EXPECT_EQ(outcome.pending, 16);
}

TEST(RecordReaderTest, AnEmptyTransactionAndADiscardedOneAreRecordsWithoutCommands) {
  const Outcome outcome =
      ReadAtEveryCut(Command({"MULTI"}) + Command({"EXEC"}) + Command({"MULTI"}) +
                     Command({"SET", "k", "v"}) + Command({"DISCARD"}) + Command({"PING"}));
  EXPECT_THAT(outcome.records, ElementsAre("[] @29", "[] @88", "PING @102"));
}

TEST(RecordReaderTest, WordsOfTransactionsWithArgumentsOrOutsideAreCommands) {
  const Outcome outcome =
      ReadAtEveryCut(Command({"EXEC"}) + Command({"MULTI", "x"}) + Command({"MULTI"}) +
                     Command({"MULTI"}) + Command({"EXEC", "x"}) + Command({"EXEC"}));
  EXPECT_THAT(outcome.records,
              ElementsAre("EXEC @14", "MULTI x @36", testing::StartsWith("[MULTI; EXEC x] @")));
}

TEST(RecordReaderTest, EmptyLinesAndCommandsCountAsBytes) {
  const Outcome outcome = ReadAtEveryCut("\n\r\n*0\r\n" + Command({"PING"}) + "*-1\r\n\n");
  EXPECT_THAT(outcome.records, ElementsAre("PING @21"));
  EXPECT_EQ(outcome.offset, 27);
  EXPECT_EQ(outcome.pending, 0);
}

TEST(RecordReaderTest, EmptyLinesWithinATransactionBelongToIt) {
  const Outcome outcome =
      ReadAtEveryCut(Command({"MULTI"}) + "\n" + Command({"PING"}) + "\r\n" + Command({"EXEC"}));
  EXPECT_THAT(outcome.records, ElementsAre("[PING] @46"));
}

TEST(RecordReaderTest, ALineOfWordsIsAnErrorInRedisWords) {
  for (const std::string line : {"SET x y\r\n", "x\n", " \r\n", "\r\r\n", "*0\r\nPING\r\n"}) {
    const Outcome outcome = ReadAtEveryCut(Command({"PING"}) + line + Command({"PING"}));
    EXPECT_THAT(outcome.records, ElementsAre("PING @14"));
    EXPECT_EQ(outcome.error,
              "WARNING: Receiving inline protocol from master, master stream corruption? Closing "
              "the master connection and discarding the cached master.");
  }
}

TEST(RecordReaderTest, MalformedCommandsAreErrors) {
  EXPECT_THAT(ReadAtEveryCut("*x\r\n").error,
              HasSubstr("Protocol error: invalid multibulk length"));
  EXPECT_THAT(ReadAtEveryCut("*1\r\n:1\r\n").error, HasSubstr("Protocol error: expected '$'"));
  EXPECT_THAT(ReadAtEveryCut("*1\r\n$-1\r\n").error, HasSubstr("invalid bulk length"));
}

TEST(RecordReaderTest, AnErrorIsFinal) {
  RecordReader reader;
  Pieces pieces;
  reader.Feed(pieces.Keep("*x\r\n" + Command({"PING"})));
  EXPECT_EQ(reader.Next(), Status::kError);
  EXPECT_EQ(reader.Next(), Status::kError);
  EXPECT_EQ(reader.offset(), 0);
}

TEST(RecordReaderTest, LimitsAreObeyed) {
  const std::string set = Command({"SET", "k", "12345"});
  EXPECT_EQ(ReadAtEveryCut(set, {.max_argument = 5}).error, "");
  EXPECT_THAT(ReadAtEveryCut(set, {.max_argument = 4}).error, HasSubstr("invalid bulk length"));
  EXPECT_THAT(ReadAtEveryCut(set, {.max_arguments = 2}).error,
              HasSubstr("invalid multibulk length"));
  const auto size = static_cast<int64_t>(set.size());
  EXPECT_EQ(ReadAtEveryCut(set + set, {.max_record = size}).error, "");
  const Outcome outcome = ReadAtEveryCut(Command({"PING"}) + set, {.max_record = size - 1});
  EXPECT_THAT(outcome.records, ElementsAre("PING @14"));
  EXPECT_THAT(outcome.error, HasSubstr("too big record"));
  EXPECT_THAT(ReadAtEveryCut(Command({"MULTI"}) + set + set + set, {.max_record = 60}).error,
              HasSubstr("too big record"));
}

TEST(RecordReaderTest, OffsetsGoOnFromTheFirst) {
  RecordReader reader({}, 1000);
  Pieces pieces;
  reader.Feed(pieces.Keep(Command({"PING"})));
  EXPECT_EQ(reader.Next(), Status::kRecord);
  EXPECT_EQ(reader.offset(), 1014);
}

TEST(RecordReaderTest, LargeArgumentsOverManyPieces) {
  const std::string bytes = Command({"SET", "k", std::string(300'000, 'x')}) +
                            Command({"SET", "k", std::string(70'000, 'y')}) + Command({"PING"});
  const Outcome whole = ReadInPieces(bytes, bytes.size(), bytes.size());
  EXPECT_THAT(whole.records, ElementsAre("SET k 300000 @300031", testing::StartsWith("SET k 70000"),
                                         testing::StartsWith("PING")));
  for (size_t piece : {777UL, 4096UL, 65536UL}) {
    EXPECT_EQ(ReadInPieces(bytes, piece, piece), whole);
  }
}

TEST(RecordReaderTest, WhatIsWholeInAPieceIsNotCopied) {
  const std::string bytes = Command({"SET", "key", "value"});
  const std::string torn = bytes + bytes.substr(0, 10);
  Pieces pieces;
  RecordReader reader;
  const std::span<char> first = pieces.Keep(torn);
  reader.Feed(first);
  ASSERT_EQ(reader.Next(), Status::kRecord);
  EXPECT_EQ(reader.arguments(0)[1].data(), first.data() + bytes.find("key"));
  ASSERT_EQ(reader.Next(), Status::kNeedMore);
  const std::span<char> second = pieces.Keep(bytes.substr(10) + bytes);
  reader.Feed(second);
  ASSERT_EQ(reader.Next(), Status::kRecord) << "this one straddles";
  EXPECT_EQ(reader.arguments(0)[1], "key");
  ASSERT_EQ(reader.Next(), Status::kRecord);
  EXPECT_EQ(reader.arguments(0)[1].data(), second.data() + bytes.size() - 10 + bytes.find("key"));
}

TEST(RecordReaderTest, APieceThatFollowsInMemoryIsNotCopiedEither) {
  std::string bytes = Command({"SET", "key", "value"});
  RecordReader reader;
  for (size_t i = 0; i < bytes.size(); i++) {
    reader.Feed(std::span(bytes).subspan(i, 1));
    ASSERT_EQ(reader.Next(), i + 1 < bytes.size() ? Status::kNeedMore : Status::kRecord);
  }
  EXPECT_EQ(reader.arguments(0)[1].data(), bytes.data() + bytes.find("key"));
}

TEST(RecordReaderTest, ViewsOfAPiecesRecordsOutliveTheNextRecord) {
  const std::string bytes = Command({"SET", "k1", "v"}) + Command({"SET", "k2", "v"});
  Pieces pieces;
  RecordReader reader;
  reader.Feed(pieces.Keep(bytes.substr(0, 15)));
  ASSERT_EQ(reader.Next(), Status::kNeedMore);
  reader.Feed(pieces.Keep(bytes.substr(15)));
  ASSERT_EQ(reader.Next(), Status::kRecord);
  const std::string_view first = reader.arguments(0)[1];
  ASSERT_EQ(reader.Next(), Status::kRecord);
  EXPECT_EQ(reader.arguments(0)[1], "k2");
  EXPECT_EQ(first, "k1") << "so that a batch can be gathered";
}

TEST(RecordReaderTest, NothingIsAllocatedByAClaimedLength) {
  RecordReader reader({.max_argument = INT64_MAX - 2});
  Pieces pieces;
  reader.Feed(pieces.Keep("*2000000000\r\n$9000000000000000000\r\nabc"));
  EXPECT_EQ(reader.Next(), Status::kNeedMore);
  reader.Feed(pieces.Keep("abc"));
  EXPECT_EQ(reader.Next(), Status::kNeedMore);
  EXPECT_EQ(reader.pending_bytes(), 41);
}

}  // namespace
}  // namespace cloakroom
