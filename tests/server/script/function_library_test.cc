#include "server/script/function_library.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using std::string_literals::operator""s;

std::string ErrorOf(std::string_view source) {
  return std::string(ParseLibrary(source).status().message());
}

TEST(FunctionLibraryTest, TheFirstLineNamesIt) {
  for (const char* source : {"#!lua name=lib\nx", "#!LUA NAME='lib'\nx",
                             "#!\"lua\" \"name=lib\" \nx", "#!lua name=lib\r\nx"}) {
    const auto library = ParseLibrary(source);
    ASSERT_OK(library);
    EXPECT_EQ((*library)->name, "lib");
    EXPECT_EQ((*library)->source, source);
    EXPECT_EQ((*library)->body(), "\nx") << "with the end of the first line, for line numbers";
  }
}

TEST(FunctionLibraryTest, EachHasAnIdOfItsOwn) {
  EXPECT_NE((*ParseLibrary("#!lua name=a\n"))->id, (*ParseLibrary("#!lua name=a\n"))->id);
}

TEST(FunctionLibraryTest, AWrongFirstLineIsRefusedInRedisWords) {
  EXPECT_EQ(ErrorOf("return 1"), "ERR Missing library metadata");
  EXPECT_EQ(ErrorOf("#!lua name=x"), "ERR Invalid library metadata");
  EXPECT_EQ(ErrorOf("#!lua name=x\0\nreturn 1"s), "ERR Invalid library metadata");
  EXPECT_EQ(ErrorOf("#!lua name=a'b\n"), "ERR Invalid library metadata");
  EXPECT_EQ(ErrorOf("#!lua\n"), "ERR Library name was not given");
  EXPECT_EQ(ErrorOf("#!lua name=a name=b\n"),
            "ERR Invalid metadata value, name argument was given multiple times");
  EXPECT_EQ(ErrorOf("#!lua name=a flags=b\n"), "ERR Invalid metadata value given: flags=b");
  EXPECT_EQ(ErrorOf("#!lua name=\n"), kBadFunctionName);
  EXPECT_EQ(ErrorOf("#!js name=a-b\n"), kBadFunctionName);
  EXPECT_EQ(ErrorOf("#!js name=a\n"), "ERR Engine 'js' not found");
}

TEST(FunctionLibraryTest, ReachingAnotherDatabaseIsKnownFromTheText) {
  EXPECT_FALSE((*ParseLibrary("#!lua name=a\nredis.call('GET', 'k')"))->may_leave_database);
  EXPECT_TRUE((*ParseLibrary("#!lua name=a\nredis.call('SELECT', 1)"))->may_leave_database);
}

}  // namespace
}  // namespace cloakroom
