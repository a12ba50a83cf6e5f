#include "replication/link/replica_options.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(ReplicaOptionsTest, IsCalledByItsSocketUntilItSaysMore) {
  ReplicaOptions options;
  EXPECT_EQ(options.Name("10.0.0.2"), "10.0.0.2:<unknown-replica-port>");
  EXPECT_EQ(options.Ip("10.0.0.2"), "10.0.0.2");
  options.listening_port = 6380;
  EXPECT_EQ(options.Name("10.0.0.2"), "10.0.0.2:6380");
}

TEST(ReplicaOptionsTest, AnAnnouncedAddressTakesThePlaceOfItsSockets) {
  ReplicaOptions options{.listening_port = 6380, .ip_address = "replica.lan"};
  EXPECT_EQ(options.Ip("10.0.0.2"), "replica.lan");
  EXPECT_EQ(options.Name("10.0.0.2"), "replica.lan:6380");
  options.ip_address = "";
  EXPECT_EQ(options.Ip("10.0.0.2"), "");
}

TEST(ReplicaOptionsTest, Ipv6AddressesStandInBrackets) {
  EXPECT_EQ(ReplicaOptions{.listening_port = 6380}.Name("::1"), "[::1]:6380");
  EXPECT_EQ(ReplicaOptions().Name("::1"), "::1:<unknown-replica-port>");
  EXPECT_EQ(HostAndPort("fe80::2", 1), "[fe80::2]:1");
  EXPECT_EQ(HostAndPort("host", 1), "host:1");
}

TEST(ReplicaOptionsTest, AFilterIsAnythingLeftOut) {
  EXPECT_FALSE(ReplicaOptions().filtered());
  EXPECT_TRUE(ReplicaOptions{.exclude_data = true}.filtered());
  EXPECT_TRUE(ReplicaOptions{.exclude_functions = true}.filtered());
}

}  // namespace
}  // namespace cloakroom
