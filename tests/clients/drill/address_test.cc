#include "clients/drill/address.h"

#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

TEST(AddressTest, IsReadAndWritten) {
  for (const char* text : {"127.0.0.1:6379", "cache1.shop.example:1", "[2001:db8::1]:65535"}) {
    ASSERT_TRUE(ParseAddress(text)) << text;
    EXPECT_EQ(ToText(*ParseAddress(text)), text);
  }
  EXPECT_EQ(ParseAddress("[::1]:7")->host, "::1");
  EXPECT_EQ(ParseAddress("::1:7")->host, "::1");
}

TEST(AddressTest, WhatIsNoneIsRefused) {
  for (const char* text : {"", "host", ":6379", "host:", "host:0", "host:65536", "host:-1",
                           "host:6379x", "host:06379"}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
  EXPECT_FALSE(MakeAddress("", "1"));
  EXPECT_FALSE(MakeAddress("?", "-1"));
}

TEST(AddressTest, LoopbackIsKnownInEachForm) {
  EXPECT_TRUE(IsLoopback({"127.0.0.1", 1}));
  EXPECT_TRUE(IsLoopback({"127.9.9.9", 1}));
  EXPECT_TRUE(IsLoopback({"::1", 1}));
  EXPECT_TRUE(IsLoopback({"LocalHost", 1}));
  EXPECT_FALSE(IsLoopback({"10.0.0.1", 1}));
  EXPECT_FALSE(IsLoopback({"localhost.shop.example", 1}));
}

}  // namespace
}  // namespace cloakroom::drill
