#include "clients/drill/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;

ReplyValue Words(std::initializer_list<const char*> words) {
  std::vector<ReplyValue> items;
  for (const char* word : words) items.push_back(ReplyValue::Bulk(word));
  return ReplyValue::Array(std::move(items));
}

constexpr char kPrimary[] =
    "redis_version:7.0.15\r\nrun_id:r1\r\nused_memory:1000\r\nrole:master\r\nconnected_slaves:2\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=90,lag=1\r\n"
    "slave1:ip=10.0.0.3,port=6380,state=wait_bgsave,offset=0,lag=0\r\n"
    "master_replid:id1\r\nmaster_repl_offset:100\r\nrepl_backlog_size:1048576\r\n";
constexpr char kReplica[] =
    "redis_version:7.2.4\r\ncloakroom_version:0.1.0\r\nrun_id:r2\r\nrole:slave\r\n"
    "master_host:10.0.0.1\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
    "master_link_down_since_seconds:12\r\nslave_repl_offset:90\r\nslave_priority:0\r\n"
    "slave_read_only:0\r\nconnected_slaves:0\r\nmaster_replid:id1\r\nmaster_repl_offset:90\r\n"
    "cloakroom_replica_errors:2\r\n";

TEST(TopologyTest, APrimaryIsReadFromInfo) {
  const Server server = ReadServer({"a", 1}, InfoText(kPrimary));
  EXPECT_TRUE(server.is_primary);
  EXPECT_EQ(server.product + server.version, "Redis7.0.15");
  EXPECT_EQ(server.offset, 100);
  EXPECT_EQ(server.backlog_bytes, 1048576);
  ASSERT_EQ(server.replicas.size(), 2u);
  EXPECT_EQ(server.replicas[0].address, (Address{"10.0.0.2", 6379}));
  EXPECT_EQ(server.replicas[0].lag_s, 1);
  EXPECT_EQ(server.replicas[1].state, "wait_bgsave");
}

TEST(TopologyTest, AReplicaIsReadFromInfo) {
  const Server server = ReadServer({"b", 1}, InfoText(kReplica));
  EXPECT_FALSE(server.is_primary);
  EXPECT_EQ(server.product + server.version, "Cloakroom0.1.0");
  EXPECT_EQ(server.primary, (Address{"10.0.0.1", 6379}));
  EXPECT_FALSE(server.link_up);
  EXPECT_EQ(server.link_down_s, 12);
  EXPECT_EQ(server.priority, 0);
  EXPECT_FALSE(server.read_only);
  EXPECT_EQ(server.errors, 2);
}

TEST(TopologyTest, LinesThatMakeNoSenseAreLeftOut) {
  const Server server = ReadServer(
      {"a", 1},
      InfoText("role:master\r\nconnected_slaves:3\r\nslave0:ip=,port=1\r\nslave1:nonsense\r\n"));
  EXPECT_TRUE(server.replicas.empty());
  EXPECT_EQ(ReadServer({"a", 1}, InfoText("")).primary, Address());
}

TEST(TopologyTest, ASentinelsViewIsReadFromItsReplies) {
  Sentinel sentinel;
  const ReplyValue master = Words({"name", "shop", "ip", "10.0.0.1", "port", "6379", "flags",
                                   "master,o_down", "quorum", "2", "num-other-sentinels", "2",
                                   "down-after-milliseconds", "5000", "failover-timeout", "60000"});
  const ReplyValue replicas = ReplyValue::Array(
      {Words({"ip", "10.0.0.2", "port", "6379", "flags", "slave", "slave-priority", "10"}),
       Words({"ip", "10.0.0.3", "port", "0"})});
  ASSERT_TRUE(ReadSentinel(master, replicas, &sentinel));
  EXPECT_EQ(sentinel.primary.address, (Address{"10.0.0.1", 6379}));
  EXPECT_TRUE(sentinel.primary.is_down());
  EXPECT_EQ(sentinel.quorum, 2);
  EXPECT_EQ(sentinel.other_sentinels, 2);
  EXPECT_EQ(sentinel.down_after_ms, 5000);
  ASSERT_EQ(sentinel.replicas.size(), 1u);
  EXPECT_EQ(sentinel.replicas[0].priority, 10);
  EXPECT_FALSE(sentinel.replicas[0].is_down());
}

TEST(TopologyTest, OtherRepliesAreNoSentinels) {
  Sentinel sentinel;
  EXPECT_FALSE(ReadSentinel(ReplyValue::Simple("OK"), ReplyValue::Array({}), &sentinel));
  EXPECT_FALSE(ReadSentinel(Words({"ip"}), ReplyValue::Array({}), &sentinel));
  EXPECT_FALSE(ReadPrimaryAddress(ReplyValue()));
  EXPECT_FALSE(ReadPrimaryAddress(Words({"10.0.0.1"})));
  EXPECT_EQ(ReadPrimaryAddress(Words({"10.0.0.1", "6379"})), (Address{"10.0.0.1", 6379}));
}

TEST(TopologyTest, RolesAreRead) {
  const auto role = [](std::vector<ReplyValue> items) {
    return ReadRole(ReplyValue::Array(std::move(items)));
  };
  EXPECT_TRUE(role({ReplyValue::Bulk("master"), ReplyValue::Integer(1)})->is_primary);
  const auto replica =
      role({ReplyValue::Bulk("slave"), ReplyValue::Bulk("10.0.0.1"), ReplyValue::Integer(6379),
            ReplyValue::Bulk("connected"), ReplyValue::Integer(5)});
  EXPECT_FALSE(replica->is_primary);
  EXPECT_TRUE(replica->link_up);
  EXPECT_EQ(replica->primary, (Address{"10.0.0.1", 6379}));
  EXPECT_FALSE(role({ReplyValue::Bulk("sentinel")}));
  EXPECT_FALSE(role({}));
  EXPECT_FALSE(role({ReplyValue::Bulk("slave")}));
}

TEST(TopologyTest, AReplicaIsFoundInThePrimarysLines) {
  Topology topology;
  topology.primary = ReadServer({"10.0.0.1", 6379}, InfoText(kPrimary));
  topology.replicas = {ReadServer({"10.0.0.2", 6379}, InfoText(kReplica)),
                       ReadServer({"10.0.0.9", 6379}, InfoText(kReplica))};
  EXPECT_EQ(topology.LineOf(topology.replicas[0])->offset, 90);
  EXPECT_EQ(topology.LineOf(topology.replicas[1]), nullptr);
  EXPECT_EQ(topology.BehindBytes(topology.replicas[0]), 10);
  EXPECT_THAT(topology.servers(), ElementsAre(Address{"10.0.0.1", 6379}, Address{"10.0.0.2", 6379},
                                              Address{"10.0.0.9", 6379}));
}

}  // namespace
}  // namespace cloakroom::drill
