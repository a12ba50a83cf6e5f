#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class PubSubCommandTest : public ServerTest {
 protected:
  void UseResp3() { ClientNamed("").resp = 3; }
};

TEST_F(PubSubCommandTest, SubscribeConfirmsEachChannelWithACount) {
  EXPECT_EQ(Run("SUBSCRIBE a b a"),
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n");
  EXPECT_EQ(ClientNamed("").subscription_count, 2);
}

TEST_F(PubSubCommandTest, PatternsAndChannelsCountTogetherShardChannelsApart) {
  Run("SUBSCRIBE a");
  EXPECT_EQ(Run("PSUBSCRIBE p*"), "*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:2\r\n");
  EXPECT_EQ(Run("SSUBSCRIBE s"), "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n");
  EXPECT_EQ(Run("UNSUBSCRIBE a"), "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(Run("SUNSUBSCRIBE no"), "*3\r\n$12\r\nsunsubscribe\r\n$2\r\nno\r\n:1\r\n");
  EXPECT_EQ(ClientNamed("").pattern_count, 1);
  EXPECT_EQ(ClientNamed("").shard_subscription_count, 1);
}

TEST_F(PubSubCommandTest, UnsubscribeWithoutNamesLeavesAll) {
  Run("SUBSCRIBE a b");
  std::string reply = Run("UNSUBSCRIBE");
  EXPECT_NE(reply.find("$1\r\na\r\n"), std::string::npos);
  EXPECT_NE(reply.find("$1\r\nb\r\n"), std::string::npos);
  EXPECT_TRUE(reply.ends_with(":0\r\n"));
  EXPECT_EQ(Run("UNSUBSCRIBE"), "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(Run("PUNSUBSCRIBE"), "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(Run("SUNSUBSCRIBE"), "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(Run("GET k"), "$-1\r\n");
}

TEST_F(PubSubCommandTest, Resp3ConfirmsWithPushes) {
  UseResp3();
  EXPECT_EQ(Run("SUBSCRIBE a"), ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(Run("PUNSUBSCRIBE"), ">3\r\n$12\r\npunsubscribe\r\n_\r\n:1\r\n");
}

TEST_F(PubSubCommandTest, ASubscriberInResp2MayOnlyChangeItsSubscriptions) {
  Run("SUBSCRIBE a");
  EXPECT_TRUE(Run("GET k").starts_with("-ERR Can't execute 'get': only (P|S)SUBSCRIBE / "));
  EXPECT_TRUE(Run("PUBLISH a x").starts_with("-ERR Can't execute 'publish': "));
  EXPECT_EQ(Run("PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
}

TEST_F(PubSubCommandTest, PublishCountsItsDeliveries) {
  RunAs("a", "SUBSCRIBE news");
  RunAs("b", "PSUBSCRIBE n* [n]ews");
  EXPECT_EQ(Run("PUBLISH news hi"), ":3\r\n");
  EXPECT_EQ(LinkOf("a").pushed, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
  EXPECT_NE(LinkOf("b").pushed.find("*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n"),
            std::string::npos);
  EXPECT_EQ(Run("PUBLISH other hi"), ":0\r\n");
  EXPECT_EQ(LinkOf("").pushed, "");
}

TEST_F(PubSubCommandTest, SPublishReachesShardChannelsAlone) {
  RunAs("a", "SUBSCRIBE c");
  RunAs("b", "SSUBSCRIBE c");
  EXPECT_EQ(Run("SPUBLISH c hi"), ":1\r\n");
  EXPECT_EQ(LinkOf("a").pushed, "");
  EXPECT_EQ(LinkOf("b").pushed, "*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
}

TEST_F(PubSubCommandTest, SubscribingInsideATransactionWorks) {
  Run("MULTI");
  EXPECT_EQ(Run("SUBSCRIBE a b"), "+QUEUED\r\n");
  EXPECT_EQ(Run("PUBLISH a 1"), "+QUEUED\r\n");
  EXPECT_EQ(Run("EXEC"),
            "*2\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n:1\r\n");
  EXPECT_EQ(LinkOf("").pushed, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n");
}

TEST_F(PubSubCommandTest, SubscribingInsideAScriptIsRefused) {
  EXPECT_TRUE(Run({"EVAL", "return redis.call('subscribe', 'a')", "0"})
                  .starts_with("-ERR This Redis command is not allowed from script"));
  RunAs("a", "SUBSCRIBE c");
  EXPECT_EQ(Run({"EVAL", "return redis.call('publish', 'c', 'hi')", "0"}), ":1\r\n");
}

TEST_F(PubSubCommandTest, ConfirmationsAreHeardThoughRepliesAreOff) {
  UseResp3();
  EXPECT_EQ(Run("CLIENT REPLY OFF"), "");
  EXPECT_EQ(Run("SUBSCRIBE a"), ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  EXPECT_EQ(Run("PING"), "");
}

TEST_F(PubSubCommandTest, PubSubListsAndCounts) {
  RunAs("a", "SUBSCRIBE one two");
  RunAs("b", "SUBSCRIBE two");
  RunAs("b", "PSUBSCRIBE x*");
  RunAs("a", "SSUBSCRIBE s");
  EXPECT_EQ(Run("PUBSUB CHANNELS o*"), "*1\r\n$3\r\none\r\n");
  EXPECT_EQ(Run("PUBSUB SHARDCHANNELS"), "*1\r\n$1\r\ns\r\n");
  EXPECT_EQ(Run("PUBSUB NUMSUB two no"), "*4\r\n$3\r\ntwo\r\n:2\r\n$2\r\nno\r\n:0\r\n");
  EXPECT_EQ(Run("PUBSUB NUMSUB"), "*0\r\n");
  EXPECT_EQ(Run("PUBSUB SHARDNUMSUB s"), "*2\r\n$1\r\ns\r\n:1\r\n");
  EXPECT_EQ(Run("PUBSUB NUMPAT"), ":1\r\n");
}

TEST_F(PubSubCommandTest, PubSubChecksItsSubcommands) {
  EXPECT_EQ(Run("PUBSUB channels a b"),
            "-ERR unknown subcommand or wrong number of arguments for 'channels'. Try PUBSUB "
            "HELP.\r\n");
  EXPECT_EQ(Run("PUBSUB NUMPAT x"),
            "-ERR wrong number of arguments for 'pubsub|numpat' command\r\n");
  EXPECT_EQ(Run("PUBSUB foo"), "-ERR unknown subcommand 'foo'. Try PUBSUB HELP.\r\n");
  EXPECT_TRUE(Run("PUBSUB HELP").starts_with("*13\r\n+PUBSUB <subcommand> "));
}

TEST_F(PubSubCommandTest, ADisconnectedClientHearsNothingMore) {
  RunAs("a", "SUBSCRIBE c");
  server_.Disconnected(ClientNamed("a"), &LinkOf("a"));
  EXPECT_EQ(Run("PUBLISH c hi"), ":0\r\n");
  EXPECT_EQ(Run("PUBSUB CHANNELS"), "*0\r\n");
}

}  // namespace
}  // namespace cloakroom
