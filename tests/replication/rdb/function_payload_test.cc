#include "replication/rdb/function_payload.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

/// From redis-server 7.0.15.
const std::string kEmpty = "\n\0]\x9b\\@\x0f\x7f\xa2\xda"s;
constexpr char kSource[] = "#!lua name=d1\nredis.register_function(\"d1\",function() return 1 end)";
const std::string kOne = "\xf5@C"s + kSource + "\n\0J\xc4\xf2\x1c<64\xe8"s;

std::string ErrorOf(const std::string& payload) {
  return std::string(ReadFunctionPayload(payload).status().message());
}

TEST(FunctionPayloadTest, IsThatOfRedis) {
  EXPECT_EQ(FunctionPayload({}, true), kEmpty);
  EXPECT_EQ(FunctionPayload({kSource}, true), kOne);
}

TEST(FunctionPayloadTest, IsReadBack) {
  EXPECT_THAT(*ReadFunctionPayload(kEmpty), IsEmpty());
  EXPECT_THAT(*ReadFunctionPayload(kOne), ElementsAre(kSource));
  const std::string repetitive = "#!lua name=x\n" + std::string(5000, '-');
  const std::string payload = FunctionPayload({kSource, repetitive}, true);
  EXPECT_LT(payload.size(), 500U);
  EXPECT_THAT(*ReadFunctionPayload(payload), ElementsAre(kSource, repetitive));
  EXPECT_GT(FunctionPayload({repetitive}, false).size(), 5000U);
}

TEST(FunctionPayloadTest, DamageIsRefused) {
  const std::string wrong = "DUMP payload version or checksum are wrong";
  for (std::size_t i = 0; i < kOne.size(); ++i) {
    std::string damaged = kOne;
    damaged[i] ^= 1;
    EXPECT_EQ(ErrorOf(damaged), wrong);
    EXPECT_EQ(ErrorOf(kOne.substr(0, i)), wrong);
  }
}

TEST(FunctionPayloadTest, OtherRecordsAreRefused) {
  EXPECT_EQ(ErrorOf("\0\x01"s + "a\x01" + "b\n\0\x92\x33\xfaq\r\xb8U\xb8"s),
            "given type is not a function");
  EXPECT_EQ(ErrorOf("\xf5\n\0?\x97u!\x84\xd9\\\xa4"s), "Failed loading library payload");
  EXPECT_EQ(ErrorOf("\xf6\x01"s + "a\n\0\xeb\xbc/\xbf"s + "b@l\x8c"),
            "Pre-release function format not supported.");
}

}  // namespace
}  // namespace cloakroom
