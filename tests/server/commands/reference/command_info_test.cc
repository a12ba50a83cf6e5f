#include "server/commands/reference/command_info.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/server/support/output_text.h"

namespace cloakroom {
namespace {

/// Rows of commands that the server does not have, like XREAD and GEORADIUS.
constexpr CommandRow kRows[] = {
    {.name = "xread",
     .arity = -4,
     .flags = kReadonly | kMovableKeys,
     .keys = {KeysAfter("STREAMS", 1, {.last = -1, .limit = 2}, kRO | kAccess)},
     .syntax = "STREAMS key [key ...] id [id ...]"},
    {.name = "georadius",
     .arity = -6,
     .flags = kWrite | kMovableKeys,
     .keys = {Key(1, kRO), KeysAfter("STORE", 6, {}, kOW), KeysAfter("STOREDIST", 6, {}, kOW)},
     .syntax = "key [STORE key | STOREDIST key]"}};

class CommandInfoTest : public testing::Test {
 protected:
  std::string Info(std::string_view name) {
    ReplyWriter reply(out_);
    ReplyCommandInfo(reply, *table_.FindName(name));
    return TakeText(out_);
  }
  std::string Docs(std::string_view name) {
    ReplyWriter reply(out_);
    ReplyCommandDocs(reply, *table_.FindName(name));
    return TakeText(out_);
  }

  CommandFamily family_{.rows = kRows};
  CommandTable table_{{&family_, 1}};
  OutputBuffer out_;
};

TEST_F(CommandInfoTest, KeysBehindAWordAreWordedAsRedisDoes) {
  EXPECT_TRUE(
      Info("xread").ends_with("*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
                              "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$7\r\nkeyword\r\n"
                              "$4\r\nspec\r\n*4\r\n$7\r\nkeyword\r\n$7\r\nSTREAMS\r\n"
                              "$9\r\nstartfrom\r\n:1\r\n"
                              "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
                              "$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:-1\r\n"
                              "$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:2\r\n*0\r\n"));
}

TEST_F(CommandInfoTest, KeysBehindAWordAreNotInTheLegacyRange) {
  EXPECT_TRUE(Info("xread").starts_with(
      "*10\r\n$5\r\nxread\r\n:-4\r\n*2\r\n+readonly\r\n+movablekeys\r\n:0\r\n:0\r\n:0\r\n"));
  EXPECT_TRUE(Info("georadius")
                  .starts_with("*10\r\n$9\r\ngeoradius\r\n:-6\r\n*2\r\n+write\r\n+movablekeys\r\n:"
                               "1\r\n:1\r\n:1\r\n"));
}

TEST_F(CommandInfoTest, EverySpecIsTold) {
  const std::string info = Info("georadius");
  EXPECT_NE(info.find("$7\r\nkeyword\r\n$5\r\nSTORE\r\n$9\r\nstartfrom\r\n:6\r\n"), info.npos);
  EXPECT_NE(info.find("$7\r\nkeyword\r\n$9\r\nSTOREDIST\r\n$9\r\nstartfrom\r\n:6\r\n"), info.npos);
}

TEST_F(CommandInfoTest, EachKeyArgumentNamesItsSpec) {
  const std::string docs = Docs("georadius");
  for (const char* index : {":0", ":1", ":2"}) {
    EXPECT_NE(docs.find(std::string("key_spec_index\r\n") + index + "\r\n"), docs.npos) << index;
  }
}

}  // namespace
}  // namespace cloakroom
