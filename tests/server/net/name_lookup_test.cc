#include "server/net/name_lookup.h"

#include <gtest/gtest.h>

#include <future>

namespace cloakroom {
namespace {

TEST(NameLookupTest, ALiteralAddressIsFoundAtOnce) {
  NameLookup lookup;
  bool found = false;
  lookup.Begin("127.0.0.1", 6379, [&](const NameLookup::Result& result) {
    ASSERT_EQ(result.targets.size(), 1u);
    EXPECT_EQ(result.targets[0].address.ss_family, AF_INET);
    found = true;
  });
  EXPECT_TRUE(found);
  lookup.Begin("::1", 6379, [&](const NameLookup::Result& result) {
    EXPECT_EQ(result.targets.at(0).address.ss_family, AF_INET6);
  });
}

TEST(NameLookupTest, ANameIsFoundOnAnotherThread) {
  auto promise = std::make_shared<std::promise<NameLookup::Result>>();
  {
    NameLookup lookup;
    lookup.Begin("localhost", 6379,
                 [promise](const NameLookup::Result& result) { promise->set_value(result); });
  }
  EXPECT_FALSE(promise->get_future().get().targets.empty());
}

TEST(NameLookupTest, WhatIsNoNameIsAnError) {
  auto promise = std::make_shared<std::promise<NameLookup::Result>>();
  NameLookup lookup;
  lookup.Begin("no such name", 6379,
               [promise](const NameLookup::Result& result) { promise->set_value(result); });
  EXPECT_FALSE(promise->get_future().get().status.ok());
}

}  // namespace
}  // namespace cloakroom
