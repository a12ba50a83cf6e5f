#include "clients/drill/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace cloakroom::drill {
namespace {

TEST(JsonTest, CommasSeparateValuesOnly) {
  JsonWriter json;
  json.OpenObject().Name("a").OpenArray().Number(int64_t{1}).Text("b").OpenObject().CloseObject();
  json.CloseArray().Name("c").Bool(true).Name("d").OpenArray().CloseArray().CloseObject();
  EXPECT_EQ(json.text(), R"({"a":[1,"b",{}],"c":true,"d":[]})");
}

std::string Quoted(std::string_view text) {
  JsonWriter json;
  json.Text(text);
  return json.text();
}

TEST(JsonTest, TextIsEscaped) {
  EXPECT_EQ(Quoted("a\"b\\c\n\x01"), R"("a\"b\\c\u000a\u0001")");
  EXPECT_EQ(Quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

TEST(JsonTest, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(Quoted("a\xff"
                   "b"),
            "\"a\xef\xbf\xbd"
            "b\"");
  EXPECT_EQ(Quoted("\xc3"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(Quoted("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(Quoted("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

std::string Written(double number) {
  JsonWriter json;
  json.Number(number);
  return json.text();
}

TEST(JsonTest, NumbersAreShort) {
  EXPECT_EQ(Written(1.5), "1.5");
  EXPECT_EQ(Written(2), "2");
  EXPECT_EQ(Written(-0.0001), "0");
  EXPECT_EQ(Written(100), "100");
  EXPECT_EQ(Written(std::numeric_limits<double>::infinity()), "null");
}

}  // namespace
}  // namespace cloakroom::drill
