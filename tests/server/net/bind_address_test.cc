#include "server/net/bind_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cloakroom {
namespace {

using ::testing::ElementsAre;

/// The addresses as 'bind' would print them, except for the wildcards.
std::vector<std::string> Said(const std::vector<std::string>& words) {
  std::vector<std::string> said;
  for (const BindAddress& address : BindAddresses(words)) {
    said.push_back((address.optional ? "-" : "") + address.name);
  }
  return said;
}

TEST(BindAddresses, ADashIsNoPartOfTheName) {
  EXPECT_THAT(Said({"127.0.0.1", "-::1"}), ElementsAre("127.0.0.1", "-::1"));
  EXPECT_EQ(BindAddresses({"-::1"})[0].name, "::1");
}

TEST(BindAddresses, AStarIsEveryAddressOfItsKind) {
  EXPECT_THAT(Said({"*", "-::*"}), ElementsAre("0.0.0.0", "-::"));
}

TEST(BindAddresses, NoWordIsEveryAddress) { EXPECT_THAT(Said({}), ElementsAre("0.0.0.0", "::")); }

TEST(Resolved, AnAddressIsItself) {
  EXPECT_EQ(Resolved("127.0.0.2"), boost::asio::ip::make_address("127.0.0.2"));
  EXPECT_EQ(Resolved("::1"), boost::asio::ip::make_address("::1"));
}

TEST(Resolved, ANameThatNobodyHasIsNone) {
  EXPECT_EQ(Resolved("no.such.host.invalid"), std::nullopt);
}

}  // namespace
}  // namespace cloakroom
