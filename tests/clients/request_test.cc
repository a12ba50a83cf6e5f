#include "clients/request.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(RequestTest, IsAnArrayOfBulkStrings) {
  EXPECT_EQ(Request({"GET", "a key"}), "*2\r\n$3\r\nGET\r\n$5\r\na key\r\n");
  EXPECT_EQ(Request({"SET", "", std::string_view("\0\r\n", 3)}),
            std::string("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\n\0\r\n\r\n", 28));
}

TEST(RequestTest, AppendsBehindWhatIsThere) {
  std::string out = Request({"PING"});
  AppendRequest(out, {"PING"});
  EXPECT_EQ(out, "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
}

}  // namespace
}  // namespace cloakroom
