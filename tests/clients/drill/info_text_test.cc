#include "clients/drill/info_text.h"

#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

TEST(InfoTextTest, FieldsAreFoundByName) {
  const InfoText info("# Server\r\nrun_id:abc\r\nport:6379\r\n\r\n# Rest\r\nlast:a:b");
  EXPECT_EQ(info.Text("run_id"), "abc");
  EXPECT_EQ(info.Number("port"), 6379);
  EXPECT_EQ(info.Text("last"), "a:b");
  EXPECT_FALSE(info.Has("# Server"));
}

TEST(InfoTextTest, WhatIsNotThereIsSaidByTheCaller) {
  const InfoText info("name:text\r\n");
  EXPECT_EQ(info.Text("other"), "");
  EXPECT_EQ(info.Number("other", 7), 7);
  EXPECT_EQ(info.Number("name", 7), 7);
  EXPECT_FALSE(InfoText("").Has("name"));
}

TEST(InfoTextTest, PartsOfAValue) {
  const auto parts = PartsOf("ip=10.0.0.2,port=6379,state=online,odd");
  EXPECT_EQ(parts.find("port")->second, "6379");
  EXPECT_EQ(parts.find("odd")->second, "");
  EXPECT_TRUE(PartsOf("").empty());
}

}  // namespace
}  // namespace cloakroom::drill
