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
     .since = "3.2.0",
     .deprecated_since = "6.2.0",
     .replaced_by = "GEOSEARCH",
     .syntax = "key [STORE key | STOREDIST key]"},
    {.name = "sort",
     .arity = -2,
     .flags = kWrite | kNoAsyncLoading | kAsking | kSystem,
     .categories = kCatAdmin,
     .keys = {Key(1, kRO), UnknownKeys(kRO).Noted("anywhere")},
     .request_policy = "all_shards",
     .response_policy = "special",
     .syntax = "key [BY pattern#1] [GET pattern#1 [GET pattern#1 ...]] [STORE destination#2]"}};

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

TEST_F(CommandInfoTest, KeysInUnknownPlacesAreWordedAsRedisDoes) {
  EXPECT_NE(Info("sort").find("*8\r\n$5\r\nnotes\r\n$8\r\nanywhere\r\n"
                              "$5\r\nflags\r\n*1\r\n+RO\r\n"
                              "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$7\r\nunknown\r\n"
                              "$4\r\nspec\r\n*0\r\n"
                              "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$7\r\nunknown\r\n"
                              "$4\r\nspec\r\n*0\r\n"),
            std::string::npos);
}

TEST_F(CommandInfoTest, FlagsCategoriesAndTipsAreTold) {
  const std::string info = Info("sort");
  EXPECT_TRUE(
      info.starts_with("*10\r\n$4\r\nsort\r\n:-2\r\n"
                       "*3\r\n+write\r\n+asking\r\n+no_async_loading\r\n"
                       ":1\r\n:1\r\n:1\r\n*3\r\n+@write\r\n+@admin\r\n"))
      << info;
  EXPECT_NE(info.find("$25\r\nrequest_policy:all_shards\r\n$23\r\nresponse_policy:special\r\n"),
            info.npos);
}

TEST_F(CommandInfoTest, DocsTellWhatIsDeprecatedAndWhatIsForTheSystem) {
  EXPECT_NE(Docs("georadius")
                .find("$9\r\ndoc_flags\r\n*1\r\n+deprecated\r\n"
                      "$16\r\ndeprecated_since\r\n$5\r\n6.2.0\r\n"
                      "$11\r\nreplaced_by\r\n$9\r\nGEOSEARCH\r\n"),
            std::string::npos);
  EXPECT_NE(Docs("sort").find("$9\r\ndoc_flags\r\n*1\r\n+syscmd\r\n"), std::string::npos);
  EXPECT_EQ(Docs("xread").find("doc_flags"), std::string::npos);
}

TEST_F(CommandInfoTest, DocsTellWhichSpecAnArgumentIsAbout) {
  const std::string docs = Docs("sort");
  EXPECT_NE(docs.find("$14\r\nkey_spec_index\r\n:1\r\n$5\r\ntoken\r\n$2\r\nBY\r\n"), docs.npos);
  EXPECT_NE(docs.find("$14\r\nkey_spec_index\r\n:2\r\n$5\r\ntoken\r\n$5\r\nSTORE\r\n"), docs.npos);
  EXPECT_NE(docs.find("*3\r\n+optional\r\n+multiple\r\n+multiple_token\r\n"), docs.npos);
}

}  // namespace
}  // namespace cloakroom
