#include "server/session/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>

namespace cloakroom {
namespace {

constexpr in_port_t kPort = 50123;

Address V4(const char* host) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kPort);
  EXPECT_EQ(inet_pton(AF_INET, host, &address.sin_addr), 1);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof(address)};
}

Address V6(const char* host) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(kPort);
  EXPECT_EQ(inet_pton(AF_INET6, host, &address.sin6_addr), 1);
  return {reinterpret_cast<const sockaddr*>(&address), sizeof(address)};
}

TEST(AddressTest, IsWordedAsRedisDoes) {
  EXPECT_EQ(V4("10.1.2.3").Text(), "10.1.2.3:50123");
  EXPECT_EQ(V6("2001:db8::1").Text(), "[2001:db8::1]:50123");
  EXPECT_EQ(Address("/run/cloakroom.sock:0").Text(), "/run/cloakroom.sock:0");
  EXPECT_EQ(Address().Text(), "");
}

TEST(AddressTest, KnowsThisMachinesOwn) {
  EXPECT_TRUE(V4("127.0.0.1").loopback());
  EXPECT_TRUE(V4("127.8.0.1").loopback());
  EXPECT_TRUE(V6("::1").loopback());
  EXPECT_FALSE(V4("10.1.2.3").loopback());
  EXPECT_FALSE(V6("2001:db8::1").loopback());
  EXPECT_FALSE(Address("/run/cloakroom.sock:0").loopback());
}

TEST(AddressTest, OfAnotherFamilyIsEmpty) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_EQ(Address(&address, sizeof(address)).Text(), "");
}

}  // namespace
}  // namespace cloakroom
