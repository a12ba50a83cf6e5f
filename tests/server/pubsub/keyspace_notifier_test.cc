#include "server/pubsub/keyspace_notifier.h"

#include "storage/keyspace/keyspace.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class KeyspaceNotifierTest : public ServerTest {
 protected:
  void Choose(std::string classes) {
    EXPECT_EQ(Run({"CONFIG", "SET", "notify-keyspace-events", std::move(classes)}), "+OK\r\n");
  }
  /// The messages since the last call: "<channel> <text>; ".
  std::string Heard() {
    std::string text;
    std::string& bytes = LinkOf("listener").pushed;
    std::vector<std::string> words;
    for (size_t at = 0; (at = bytes.find("\r\n", at)) != bytes.npos;) {
      const size_t end = bytes.find("\r\n", at + 2);
      if (end == bytes.npos) break;
      const std::string word = bytes.substr(at + 2, end - at - 2);
      if (!word.starts_with("$") && !word.starts_with("*")) words.push_back(word);
      at = end;
    }
    // pmessage, the pattern, the channel, the text.
    for (size_t i = 0; i + 3 < words.size(); i += 4)
      text += words[i + 2] + " " + words[i + 3] + "; ";
    bytes.clear();
    return text;
  }
  void Listen() {
    RunAs("listener", "PSUBSCRIBE __key*__:*");
    Heard();
  }
};

TEST_F(KeyspaceNotifierTest, NothingIsToldOrPaidForByDefault) {
  Listen();
  Run("SET k v");
  EXPECT_EQ(Heard(), "");
  EXPECT_EQ(server_.keyspace().feed().wants(), ChangeConsumer::kNothing);
}

TEST_F(KeyspaceNotifierTest, BothChannelsTellOfAnEvent) {
  Choose("KEA");
  Listen();
  Run("SET k v");
  EXPECT_EQ(Heard(), "__keyspace@0__:k set; __keyevent@0__:set k; ");
  Run("SELECT 3");
  Run("DEL k");
  Run("SADD s m");
  EXPECT_EQ(Heard(), "__keyspace@3__:s sadd; __keyevent@3__:sadd s; ");
}

TEST_F(KeyspaceNotifierTest, OnlyChosenClassesAndChannelsAreTold) {
  Choose("K$");
  Listen();
  Run("SET k v");
  Run("SADD s m");
  Run("DEL k");
  EXPECT_EQ(Heard(), "__keyspace@0__:k set; ");
  Choose("Eg");
  Run("SET k v");
  Run("DEL k");
  EXPECT_EQ(Heard(), "__keyevent@0__:del k; ");
  Choose("A");  // No channel.
  Run("SET k v");
  EXPECT_EQ(Heard(), "");
}

TEST_F(KeyspaceNotifierTest, MissesAndNewKeysAreToldOnlyWhenAskedFor) {
  Choose("EA");
  Listen();
  Run("GET k");
  Run("SET k v");
  EXPECT_EQ(Heard(), "__keyevent@0__:set k; ");
  Choose("EAmn");
  Run("GET absent");
  Run("SET other v");
  EXPECT_EQ(Heard(),
            "__keyevent@0__:keymiss absent; __keyevent@0__:new other; __keyevent@0__:set other; ");
}

TEST_F(KeyspaceNotifierTest, ATransactionsEventsComeInTheirOrder) {
  Choose("EA");
  Listen();
  Run("MULTI");
  Run("SET a 1");
  Run("RENAME a b");
  Run("DEL b");
  Run("EXEC");
  EXPECT_EQ(Heard(),
            "__keyevent@0__:set a; __keyevent@0__:rename_from a; __keyevent@0__:rename_to b; "
            "__keyevent@0__:del b; ");
}

TEST_F(KeyspaceNotifierTest, ExpiryIsToldWhenItIsNoticed) {
  Run("SET k v PX 10");
  Choose("Ex");
  Listen();
  Advance(20);
  Run("GET k");
  EXPECT_EQ(Heard(), "__keyevent@0__:expired k; ");
}

TEST(ClassOfEventTest, EventsHaveTheirRedisClass) {
  EXPECT_EQ(ClassOfEvent("del"), 'g');
  EXPECT_EQ(ClassOfEvent("incrbyfloat"), '$');
  EXPECT_EQ(ClassOfEvent("hexpired"), 'h');
  EXPECT_EQ(ClassOfEvent("xgroup-create"), 't');
  EXPECT_EQ(ClassOfEvent("expired"), 'x');
  EXPECT_EQ(ClassOfEvent("evicted"), 'e');
  EXPECT_EQ(ClassOfEvent("nothing"), '\0');
}

}  // namespace
}  // namespace cloakroom
