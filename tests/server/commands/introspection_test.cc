#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using IntrospectionTest = ServerTest;

TEST_F(IntrospectionTest, InfoOfGetIsThatOfRedis) {
  EXPECT_EQ(Run("COMMAND INFO get"),
            "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n"
            "+@read\r\n+@string\r\n+@fast\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n"
            "+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
            "*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n"
            "$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n"
            ":0\r\n*0\r\n");
}

TEST_F(IntrospectionTest, CategoriesStandInRedisOrder) {
  EXPECT_NE(Run("COMMAND INFO client|list")
                .find("*4\r\n+@admin\r\n+@slow\r\n+@dangerous\r\n+@connection\r\n"),
            std::string::npos);
  EXPECT_NE(Run("COMMAND INFO copy").find("*3\r\n+@keyspace\r\n+@write\r\n+@slow\r\n"),
            std::string::npos);
}

TEST_F(IntrospectionTest, AContainerBelongsToNoCategoryOfItsOwn) {
  EXPECT_TRUE(Run("COMMAND INFO config")
                  .starts_with("*1\r\n*10\r\n$6\r\nconfig\r\n:-2\r\n*0\r\n:0\r\n:0\r\n:0\r\n*1\r\n"
                               "+@slow\r\n*0\r\n*0\r\n*5\r\n"));
}

TEST_F(IntrospectionTest, SeveralKeySpecsMakeOneLegacyRange) {
  EXPECT_NE(Run("COMMAND INFO rename").find("\r\n:1\r\n:2\r\n:1\r\n"), std::string::npos);
  EXPECT_NE(Run("COMMAND INFO bitop").find("\r\n:2\r\n:-1\r\n:1\r\n"), std::string::npos);
}

TEST_F(IntrospectionTest, WhatIsUnknownIsNull) {
  EXPECT_EQ(Run("COMMAND INFO nosuch get|foo"), "*2\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(Run("COMMAND DOCS nosuch"), "*0\r\n");
}

TEST_F(IntrospectionTest, CountAndTheWholeListAgree) {
  std::string count = Run("COMMAND COUNT").substr(1);
  EXPECT_TRUE(Run("COMMAND").starts_with("*" + count));
  EXPECT_TRUE(Run("COMMAND INFO").starts_with("*" + count));
}

TEST_F(IntrospectionTest, ListFilters) {
  EXPECT_EQ(Run("COMMAND LIST FILTERBY PATTERN config|re*"),
            "*2\r\n$14\r\nconfig|rewrite\r\n$16\r\nconfig|resetstat\r\n");
  EXPECT_NE(Run("COMMAND LIST FILTERBY ACLCAT transaction").find("watch"), std::string::npos);
  EXPECT_EQ(Run("COMMAND LIST FILTERBY ACLCAT nosuch"), "*0\r\n");
  EXPECT_EQ(Run("COMMAND LIST FILTERBY MODULE x"), "*0\r\n");
  EXPECT_EQ(Run("COMMAND LIST FILTERBY FOO x"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("COMMAND LIST x"), "-ERR syntax error\r\n");
}

TEST_F(IntrospectionTest, GetKeysFindsThem) {
  EXPECT_EQ(Run("COMMAND GETKEYS mset a 1 b 2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS eval x 1 a"), "*1\r\n$1\r\na\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS object encoding a"), "*1\r\n$1\r\na\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYSANDFLAGS set a b"),
            "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n");
}

TEST_F(IntrospectionTest, FlagsThatVaryAreThoseOfTheCommandLine) {
  auto flags = [this](const std::string& line) {
    std::string reply = Run("COMMAND GETKEYSANDFLAGS " + line);
    return reply.substr(reply.find('+'));
  };
  EXPECT_EQ(flags("set a b ex 9 get"), "+RW\r\n+access\r\n+update\r\n");
  EXPECT_EQ(flags("bitfield a get u8 0"), "+RO\r\n+access\r\n");
  EXPECT_EQ(flags("bitfield a get u8 0 incrby u8 0 1"), "+RW\r\n+access\r\n+update\r\n");
}

TEST_F(IntrospectionTest, GetKeysTellsWhyThereAreNone) {
  EXPECT_EQ(Run("COMMAND GETKEYS client list"), "-ERR The command has no key arguments\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS spublish a b"), "-ERR The command has no key arguments\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS nosuch x"), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS get a b"),
            "-ERR Invalid number of arguments specified for command\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS sintercard 5 b"),
            "-ERR Invalid arguments specified for command\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS eval x 3 a"), "*0\r\n");
}

TEST_F(IntrospectionTest, TheLastStoreOfSortCounts) {
  EXPECT_EQ(Run("COMMAND GETKEYS sort k store a store b"), "*2\r\n$1\r\nk\r\n$1\r\nb\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS sort k by store x"), "*1\r\n$1\r\nk\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS sort k limit 0 store"), "*1\r\n$1\r\nk\r\n");
}

TEST_F(IntrospectionTest, MigrateHasOneKeyOrThoseBehindKeys) {
  EXPECT_EQ(Run("COMMAND GETKEYS migrate h 1 k 0 1 auth keys"), "*1\r\n$1\r\nk\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS migrate h 1 k 0 1 keys a"),
            "-ERR Invalid arguments specified for command\r\n");
  EXPECT_EQ(Run({"COMMAND", "GETKEYS", "migrate", "h", "1", "", "0", "1", "keys", "a", "b"}),
            "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST_F(IntrospectionTest, AtLeastOneCountedKeyIsWanted) {
  EXPECT_EQ(Run("COMMAND GETKEYS zunionstore d 0 a"),
            "-ERR Invalid arguments specified for command\r\n");
  EXPECT_EQ(Run("COMMAND GETKEYS eval x 0"), "*0\r\n");
}

TEST_F(IntrospectionTest, DocsDescribeTheArguments) {
  std::string docs = Run("COMMAND DOCS rename");
  EXPECT_TRUE(docs.starts_with("*2\r\n$6\r\nrename\r\n*10\r\n$7\r\nsummary\r\n"));
  EXPECT_NE(
      docs.find("$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n$12\r\ndisplay_text\r\n"
                "$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n"),
      docs.npos);
  EXPECT_NE(docs.find("$6\r\nnewkey\r\n$14\r\nkey_spec_index\r\n:1\r\n"), docs.npos);
}

}  // namespace
}  // namespace cloakroom
