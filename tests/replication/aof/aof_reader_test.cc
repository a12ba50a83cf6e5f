#include "replication/aof/aof_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

using Status = AofReader::Status;
using ::testing::ElementsAre;

std::string Command(std::vector<std::string_view> arguments) {
  std::string out;
  AppendCommand(out, arguments);
  return out;
}

/// Gives a few bytes at a time.
class DribblingSource final : public ByteSource {
 public:
  DribblingSource(std::string_view text, size_t step) : rest_(text), step_(step) {}
  size_t Read(std::span<char> into) override {
    size_t n = rest_.copy(into.data(), std::min(step_, into.size()));
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
  size_t step_;
};

struct Outcome {
  std::vector<std::string> commands;  // words with spaces between
  Status status;
  int64_t whole = 0;
  int64_t offset = 0;
  std::string error;
};

Outcome ReadAll(std::string_view text, size_t step = 1 << 20, int64_t start = 0) {
  DribblingSource source(text, step);
  AofReader reader(source, start);
  Outcome outcome;
  while ((outcome.status = reader.Next()) == Status::kCommand) {
    std::string& words = outcome.commands.emplace_back();
    for (std::string_view argument : reader.arguments()) {
      words += words.empty() ? std::string(argument) : " " + std::string(argument);
    }
  }
  EXPECT_EQ(reader.Next(), outcome.status) << "says the same again";
  outcome.whole = reader.whole_offset();
  outcome.offset = reader.offset();
  EXPECT_EQ(absl::IsDataLoss(reader.error()), outcome.status == Status::kFormatError);
  outcome.error = std::string(reader.error().message());
  return outcome;
}

TEST(AofReaderTest, ReadsCommandsHoweverTheyArrive) {
  std::string text = Command({"SET", "a", "1"}) + "#TS:1700000000\r\n" + Command({"DEL", "a\r\n"});
  for (size_t step : {size_t{1}, size_t{3}, size_t{1000}}) {
    Outcome outcome = ReadAll(text, step);
    EXPECT_THAT(outcome.commands, ElementsAre("SET a 1", "DEL a\r\n"));
    EXPECT_EQ(outcome.status, Status::kEnd);
    EXPECT_EQ(outcome.whole, static_cast<int64_t>(text.size()));
  }
}

TEST(AofReaderTest, KnowsOffsetsAndTimestamps) {
  std::string first = Command({"SET", "a", "1"});
  std::string text = first + "#TS:1700000000\r\n#other\r\n" + Command({"PING"});
  StringSource source(text);
  AofReader reader(source, 100);
  ASSERT_EQ(reader.Next(), Status::kCommand);
  EXPECT_EQ(reader.command_offset(), 100);
  EXPECT_EQ(reader.offset(), 100 + static_cast<int64_t>(first.size()));
  EXPECT_EQ(reader.timestamp_s(), std::nullopt);
  ASSERT_EQ(reader.Next(), Status::kCommand);
  EXPECT_EQ(reader.command_offset(), 100 + static_cast<int64_t>(first.size()) + 24);
  EXPECT_EQ(reader.timestamp_s(), 1'700'000'000);
}

TEST(AofReaderTest, EveryCutIsTruncatedAtTheLastWholeCommand) {
  std::string first = Command({"SET", "a", "1"});
  std::string second = "#TS:1\r\n";
  std::string third = Command({"SET", "key", "value"});
  std::string text = first + second + third;
  for (size_t cut = 0; cut <= text.size(); cut++) {
    size_t whole = 0;
    for (size_t end : {first.size(), first.size() + second.size(), text.size()}) {
      if (cut >= end) whole = end;
    }
    Outcome outcome = ReadAll(text.substr(0, cut));
    EXPECT_EQ(outcome.whole, static_cast<int64_t>(whole)) << cut;
    EXPECT_EQ(outcome.status, cut == whole ? Status::kEnd : Status::kTruncated) << cut;
  }
}

TEST(AofReaderTest, ATransactionWithoutExecIsTorn) {
  std::string before = Command({"SET", "a", "1"});
  std::string text = before + Command({"multi"}) + Command({"SET", "a", "2"});
  Outcome outcome = ReadAll(text);
  EXPECT_EQ(outcome.status, Status::kTruncated);
  EXPECT_EQ(outcome.whole, static_cast<int64_t>(before.size()));
  text += Command({"EXEC"});
  outcome = ReadAll(text);
  EXPECT_EQ(outcome.status, Status::kEnd);
  EXPECT_EQ(outcome.whole, static_cast<int64_t>(text.size()));
}

TEST(AofReaderTest, FormatErrorsSayWhereAndWhat) {
  std::string before = Command({"PING"});
  struct {
    std::string_view text, error;
  } cases[] = {
      {"PING\r\n", "expected '*', got 'P'"},
      {"*0\r\n", "a command without a name"},
      {"*-1\r\n", "bad length '-1'"},
      {"*x\r\n", "bad length 'x'"},
      {"*1\r\n:1\r\n", "expected '$', got ':'"},
      {"*1\r\n$x\r\n", "bad length 'x'"},
      {"*1\r\n$99999999999\r\n", "bad length '99999999999'"},
      {"*1\r\n$4\r\nPINGxx", "an argument of 4 bytes does not end there"},
  };
  for (const auto& c : cases) {
    Outcome outcome = ReadAll(before + std::string(c.text));
    EXPECT_EQ(outcome.status, Status::kFormatError) << c.text;
    EXPECT_EQ(outcome.error, c.error);
    EXPECT_EQ(outcome.offset, static_cast<int64_t>(before.size()));
    EXPECT_EQ(outcome.whole, static_cast<int64_t>(before.size()));
  }
  EXPECT_EQ(ReadAll("*" + std::string(2000, '1')).error, "a line is too long");
  EXPECT_EQ(ReadAll("#" + std::string(2000, '1')).error, "an annotation is too long");
}

TEST(AofReaderTest, AClaimedLengthAllocatesNothing) {
  EXPECT_EQ(ReadAll("*2147483647\r\n$536870912\r\nabc").status, Status::kTruncated);
}

TEST(AofReaderTest, APreambleIsForTheCallerAtTheBeginOnly) {
  EXPECT_EQ(ReadAll("REDIS0010...", 2).status, Status::kRdbPreamble);
  EXPECT_EQ(ReadAll("VALKEY080...", 2).status, Status::kRdbPreamble);
  EXPECT_EQ(ReadAll("REDIS0010", 100, 7).status, Status::kFormatError);
  EXPECT_EQ(ReadAll("REDI").status, Status::kFormatError);
}

TEST(AofReaderTest, LargeArgumentsAndManyCommandsKeepTheirBytes) {
  std::string large(3 << 20, 'x');
  std::string text;
  for (int i = 0; i < 3; i++)
    text += Command({"SET", std::to_string(i), large}) + Command({"PING"});
  Outcome outcome = ReadAll(text, 100'000);
  ASSERT_EQ(outcome.commands.size(), 6u);
  EXPECT_EQ(outcome.commands[4], "SET 2 " + large);
  EXPECT_EQ(outcome.whole, static_cast<int64_t>(text.size()));
}

}  // namespace
}  // namespace cloakroom
