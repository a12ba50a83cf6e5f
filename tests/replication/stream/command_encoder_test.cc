#include "replication/stream/command_encoder.h"

#include <gtest/gtest.h>

#include <vector>

#include "replication/aof/aof_reader.h"
#include "replication/files/bytes.h"

namespace cloakroom {
namespace {

std::string Encode(std::vector<std::string_view> arguments) {
  std::string out;
  AppendCommand(out, arguments);
  EXPECT_EQ(out.size(), CommandLength(arguments));
  return out;
}

TEST(CommandEncoderTest, WritesLengthsAndArguments) {
  EXPECT_EQ(Encode({"SET", "key", "a\r\nb"}), "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$4\r\na\r\nb\r\n");
  EXPECT_EQ(Encode({"PING", ""}), "*2\r\n$4\r\nPING\r\n$0\r\n\r\n");
}

TEST(CommandEncoderTest, AppendsBehindWhatIsThere) {
  std::string out = "before";
  std::string_view ping[] = {"PING"};
  AppendCommand(out, ping);
  AppendCommand(out, ping);
  EXPECT_EQ(out, "before*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
}

TEST(CommandEncoderTest, LengthsOfEveryNumberOfDigitsAreReadBack) {
  for (size_t length = 1; length <= 1'000'000; length *= 10) {
    for (size_t near : {length - 1, length}) {
      std::string value(near, 'x');
      std::string out = Encode({"SET", value});
      StringSource source(out);
      AofReader reader(source);
      ASSERT_EQ(reader.Next(), AofReader::Status::kCommand);
      EXPECT_EQ(reader.arguments()[1], value);
      EXPECT_EQ(reader.Next(), AofReader::Status::kEnd);
    }
  }
}

}  // namespace
}  // namespace cloakroom
