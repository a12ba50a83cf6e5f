#include "protocol/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Status = RequestParser::Status;
using Request = std::vector<std::string>;
using namespace std::string_literals;

/// A connection without a socket: a buffer, and the loop that the header recommends.
class Connection {
 public:
  explicit Connection(const ParserLimits& limits = {}) : parser(limits) {}

  void Receive(std::string_view bytes) {
    buffer.append(bytes);
    Status status = Status::kRequest;
    while (status == Status::kRequest) {
      arguments.clear();
      status = parser.Parse(buffer, arguments);
      if (status == Status::kRequest) requests.emplace_back(arguments.begin(), arguments.end());
      EXPECT_TRUE(status == Status::kRequest || arguments.empty());
    }
    failed = status == Status::kError;
    size_t used = parser.TakeConsumed();
    buffer.erase(0, used);
    if (used > 0) buffer.shrink_to_fit();  // it moves, so that a sanitizer finds a kept pointer
  }

  RequestParser parser;
  std::string buffer;
  RequestParser::Arguments arguments;
  std::vector<Request> requests;
  bool failed = false;
};

/// The requests in `bytes`, received at once and then byte by byte, which must not differ.
std::vector<Request> Requests(std::string_view bytes) {
  Connection whole;
  whole.Receive(bytes);
  Connection dribbled;
  for (char byte : bytes) dribbled.Receive({&byte, 1});
  EXPECT_FALSE(whole.failed) << whole.parser.error();
  EXPECT_FALSE(dribbled.failed) << dribbled.parser.error();
  EXPECT_EQ(whole.requests, dribbled.requests);
  EXPECT_EQ(whole.buffer, dribbled.buffer);
  return whole.requests;
}

/// The same for bytes that end in an error.
std::string ErrorOf(std::string_view bytes, const ParserLimits& limits = {}) {
  Connection whole(limits);
  whole.Receive(bytes);
  Connection dribbled(limits);
  for (size_t i = 0; i < bytes.size() && !dribbled.failed; ++i) {
    dribbled.Receive(bytes.substr(i, 1));
  }
  EXPECT_EQ(whole.parser.error(), dribbled.parser.error());
  EXPECT_EQ(whole.failed, !whole.parser.error().empty());
  EXPECT_EQ(whole.failed, dribbled.failed);
  return whole.parser.error();
}

TEST(RequestParserTest, MultibulkIsOneRequest) {
  EXPECT_THAT(Requests("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n"),
              ElementsAre(Request{"SET", "key", "value"}));
}

TEST(RequestParserTest, PipelineIsManyRequests) {
  EXPECT_THAT(Requests("*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n"),
              ElementsAre(Request{"PING"}, Request{"GET", "k"}, Request{"PING"}));
}

TEST(RequestParserTest, ArgumentsHoldAnyBytes) {
  EXPECT_THAT(Requests("*2\r\n$4\r\n\0\r\n*\r\n$0\r\n\r\n"s), ElementsAre(Request{"\0\r\n*"s, ""}));
}

TEST(RequestParserTest, ArgumentsAreViewsIntoTheBuffer) {
  std::string buffer = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
  RequestParser parser;
  RequestParser::Arguments arguments;
  ASSERT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  EXPECT_EQ(arguments[0].data(), buffer.data() + 8);
  EXPECT_EQ(parser.consumed(), buffer.size());
}

TEST(RequestParserTest, ArgumentsOfABatchAreAppended) {
  std::string buffer = "*1\r\n$1\r\na\r\nb c\r\n*1\r\n$1\r\n";
  RequestParser parser;
  RequestParser::Arguments arguments;
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kNeedMore);
  EXPECT_THAT(arguments, ElementsAre("a", "b", "c"));
  EXPECT_EQ(parser.TakeConsumed(), 16u);
  EXPECT_EQ(parser.TakeConsumed(), 0u);
}

TEST(RequestParserTest, ConsumedBytesMayStay) {
  std::string buffer = "*1\r\n$4\r\nPING\r\n*1\r\n$4";
  buffer.reserve(100);  // the views of the first request stay valid
  RequestParser parser;
  RequestParser::Arguments arguments;
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kNeedMore);
  buffer += "\r\nECHO\r\n";
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  EXPECT_THAT(arguments, ElementsAre("PING", "ECHO"));
}

TEST(RequestParserTest, NothingIsNotARequest) {
  EXPECT_THAT(Requests(""), IsEmpty());
  EXPECT_THAT(Requests("*"), IsEmpty());
  EXPECT_THAT(Requests("*1\r"), IsEmpty());
  EXPECT_THAT(Requests("*1\r\n$4\r\nPING\r"), IsEmpty());
  EXPECT_THAT(Requests("PING"), IsEmpty());
}

TEST(RequestParserTest, EmptyRequestsAreSkipped) {
  EXPECT_THAT(Requests("*0\r\n*-1\r\n*-10\r\n\r\n\n  \r\nPING\r\n"), ElementsAre(Request{"PING"}));
}

TEST(RequestParserTest, BytesBehindAnArgumentAreNotChecked) {
  EXPECT_THAT(Requests("*1\rX$4\rYPINGxx*1\r\n$4\r\nECHO\r\n"),
              ElementsAre(Request{"PING"}, Request{"ECHO"}));
}

TEST(RequestParserTest, SaysHowManyBytesALargeArgumentWants) {
  Connection connection;
  connection.Receive("*2\r\n$3\r\nGET\r\n$1000");
  EXPECT_EQ(connection.parser.bytes_wanted(), 0u);
  connection.Receive("\r\n");
  EXPECT_EQ(connection.parser.bytes_wanted(), 1002u);
  connection.Receive(std::string(1000, 'x'));
  EXPECT_EQ(connection.parser.bytes_wanted(), 2u);
  connection.Receive("\r\n");
  EXPECT_EQ(connection.parser.bytes_wanted(), 0u);
  EXPECT_THAT(connection.requests, ElementsAre(Request{"GET", std::string(1000, 'x')}));
}

TEST(RequestParserTest, InlineRequestEndsWithItsLine) {
  EXPECT_THAT(Requests("PING\nECHO a\r\nECHO b\r\r\n"),
              ElementsAre(Request{"PING"}, Request{"ECHO", "a"}, Request{"ECHO", "b"}));
}

TEST(RequestParserTest, InlineRequestKnowsQuotes) {
  EXPECT_THAT(Requests("SET \"a key\" 'it\\'s' \"\\x41\\n\"\r\nPING\r\n"),
              ElementsAre(Request{"SET", "a key", "it's", "A\n"}, Request{"PING"}));
}

TEST(RequestParserTest, InlineRequestWithUnbalancedQuotesIsAnError) {
  const std::string error = "ERR Protocol error: unbalanced quotes in request";
  EXPECT_EQ(ErrorOf("PING \"a\r\n"), error);
  EXPECT_EQ(ErrorOf("PING 'a\r\n"), error);
  EXPECT_EQ(ErrorOf("PING \"a\"b\r\n"), error);
}

TEST(RequestParserTest, InlineRequestsMayBeRefusedButForEmptyLines) {
  RequestParser parser({.inline_requests = false});
  RequestParser::Arguments arguments;
  std::string bytes = "\r\n\n*1\r\n$4\r\nPING\r\n";
  EXPECT_EQ(parser.Parse(bytes, arguments), Status::kRequest);
  EXPECT_THAT(arguments, ElementsAre("PING"));
  bytes += "PI";
  EXPECT_EQ(parser.Parse(bytes, arguments), Status::kNeedMore);
  bytes += "NG\r\n";
  EXPECT_EQ(parser.Parse(bytes, arguments), Status::kError);
  EXPECT_EQ(parser.error(), "ERR Protocol error: Master using the inline protocol. Desync?");
}

TEST(RequestParserTest, MultibulkLengthMustBeANumberInRange) {
  for (const char* bytes :
       {"*x\r\n", "*\r\n", "*01\r\n", "*+1\r\n", "* 1\r\n", "*1 \r\n", "*-0\r\n", "*2147483648\r\n",
        "*99999999999999999999\r\n", "*1\n$4\r\n"}) {
    EXPECT_EQ(ErrorOf(bytes), "ERR Protocol error: invalid multibulk length") << bytes;
  }
  EXPECT_EQ(ErrorOf("*2147483647\r\n"), "");
}

TEST(RequestParserTest, BulkLengthMustBeANumberInRange) {
  for (const char* length : {"-1", "x", "", "-0", "01", "536870913", "99999999999999999999"}) {
    EXPECT_EQ(ErrorOf("*1\r\n$"s + length + "\r\n"), "ERR Protocol error: invalid bulk length")
        << length;
  }
  EXPECT_EQ(ErrorOf("*1\r\n$536870912\r\n"), "");
}

TEST(RequestParserTest, ArgumentMustBeABulk) {
  EXPECT_EQ(ErrorOf("*1\r\nx4\r\n"), "ERR Protocol error: expected '$', got 'x'");
  EXPECT_EQ(ErrorOf("*2\r\n$1\r\na\r\n:1\r\n"), "ERR Protocol error: expected '$', got ':'");
  EXPECT_EQ(ErrorOf("*1\r\n\r\n"), "ERR Protocol error: expected '$', got '\r'");
  EXPECT_EQ(ErrorOf("*1\r\n\x80\r\n"), "ERR Protocol error: expected '$', got '\x80'");
  EXPECT_EQ(ErrorOf("*1\r\nx4"), "");
}

TEST(RequestParserTest, AZeroByteHidesTheEndOfItsLine) {
  for (const std::string& bytes : {"ECHO a\0b\r\nPING\r\n"s, "\0\r\nPING\r\n"s, "*\0001\r\n"s}) {
    EXPECT_THAT(Requests(bytes), IsEmpty());
    EXPECT_EQ(ErrorOf(bytes), "");
  }
  EXPECT_EQ(ErrorOf("P\0\r\n"s + std::string(65536, 'x')),
            "ERR Protocol error: too big inline request");
  EXPECT_THAT(Requests("PING\r\nP\0"s), ElementsAre(Request{"PING"}));
}

TEST(RequestParserTest, LinesAreLimited) {
  const std::string digits(65536, '1');
  EXPECT_EQ(ErrorOf("*" + digits), "ERR Protocol error: too big mbulk count string");
  EXPECT_EQ(ErrorOf("*1\r\n$" + digits), "ERR Protocol error: too big bulk count string");
  EXPECT_EQ(ErrorOf("P" + digits), "ERR Protocol error: too big inline request");
  EXPECT_EQ(ErrorOf("P" + digits + "\r\n"), "ERR Protocol error: too big inline request");
  EXPECT_EQ(ErrorOf(digits), "");
  EXPECT_EQ(ErrorOf("*" + digits.substr(1)), "");
}

TEST(RequestParserTest, MaxBulkLengthIsASetting) {
  ParserLimits limits;
  limits.proto_max_bulk_len = 1000;
  EXPECT_EQ(ErrorOf("*1\r\n$1001\r\n", limits), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$1000\r\n", limits), "");
  EXPECT_EQ(ErrorOf("*1\r\n$1001\r\n" + std::string(1003, 'x'), limits),
            "ERR Protocol error: invalid bulk length");
}

TEST(RequestParserTest, UnauthenticatedClientsGetLittle) {
  ParserLimits limits;
  limits.authenticated = false;
  EXPECT_EQ(ErrorOf("*11\r\n", limits), "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$16385\r\n", limits), "ERR Protocol error: unauthenticated bulk length");
  EXPECT_EQ(ErrorOf("*10\r\n$16384\r\n", limits), "");
  EXPECT_EQ(ErrorOf("*-1\r\n", limits), "");
  EXPECT_EQ(ErrorOf("*2147483648\r\n", limits), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$536870913\r\n", limits), "ERR Protocol error: invalid bulk length");
  std::string whole = "*11\r\n";
  for (int i = 0; i < 11; ++i) whole += "$1\r\na\r\n";
  EXPECT_EQ(ErrorOf(whole, limits), "ERR Protocol error: unauthenticated multibulk length");
}

TEST(RequestParserTest, LimitsMayRiseBetweenRequests) {
  ParserLimits limits;
  limits.authenticated = false;
  RequestParser parser(limits);
  std::string buffer = "AUTH secret\r\n*11\r\n";
  for (int i = 0; i < 11; ++i) buffer += "$1\r\na\r\n";
  RequestParser::Arguments arguments;
  ASSERT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  limits.authenticated = true;
  parser.set_limits(limits);
  EXPECT_EQ(parser.Parse(buffer, arguments), Status::kRequest);
  EXPECT_EQ(arguments.size(), 13u);
}

TEST(RequestParserTest, ErrorIsForGood) {
  Connection connection;
  connection.Receive("PING\r\n*x\r\nPING\r\n");
  EXPECT_TRUE(connection.failed);
  connection.Receive("PING\r\n");
  EXPECT_TRUE(connection.failed);
  EXPECT_THAT(connection.requests, ElementsAre(Request{"PING"}));
  EXPECT_THAT(connection.parser.error(), StartsWith("ERR Protocol error: "));
}

TEST(RequestParserTest, ManyArgumentsArriveByteByByte) {
  std::string bytes = "*2000\r\n";
  Request expected;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back(std::to_string(i));
    bytes += "$" + std::to_string(expected.back().size()) + "\r\n" + expected.back() + "\r\n";
  }
  EXPECT_THAT(Requests(bytes), ElementsAre(expected));
}

// A length without its bytes costs no memory: this one would need 32 GB.
TEST(RequestParserTest, LengthAloneReservesNothing) {
  Connection connection;
  connection.Receive("*2000000000\r\n$536870912\r\nx");
  EXPECT_FALSE(connection.failed);
  EXPECT_THAT(connection.requests, IsEmpty());
}

}  // namespace
}  // namespace cloakroom
