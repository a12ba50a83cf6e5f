#include "server/commands/support/migration_target.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/support/scripted_peer.h"

namespace cloakroom {
namespace {

using std::chrono::milliseconds;
using Connected = MigrationTarget::Connected;

constexpr milliseconds kLong{60'000};

std::vector<std::string_view> Words(std::initializer_list<std::string_view> words) { return words; }

TEST(MigrationTargetTest, SendsRequestsAndReadsRepliesLineByLine) {
  ScriptedPeer peer("+OK\r\n-ERR no\r\n");
  {
    MigrationTarget target(kLong);
    ASSERT_EQ(target.Connect("127.0.0.1", peer.port()), Connected::kYes);
    EXPECT_TRUE(target.Send(Words({"SELECT", "3"})));
    EXPECT_EQ(target.Reply(), "+OK");
    EXPECT_EQ(target.Reply(), "-ERR no");
  }
  EXPECT_EQ(peer.Received(), "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
}

TEST(MigrationTargetTest, ALargeWordArrivesWhole) {
  ScriptedPeer peer("");
  const std::string large(1'000'000, 'x');
  {
    MigrationTarget target(kLong);
    ASSERT_EQ(target.Connect("localhost", peer.port()), Connected::kYes);
    EXPECT_TRUE(target.Send(Words({"A", large, "B"})));
  }
  EXPECT_EQ(peer.Received(), "*3\r\n$1\r\nA\r\n$1000000\r\n" + large + "\r\n$1\r\nB\r\n");
}

TEST(MigrationTargetTest, NobodyListens) {
  std::string port;
  {
    ScriptedPeer peer("");
    port = peer.port();
  }
  MigrationTarget target(kLong);
  EXPECT_EQ(target.Connect("127.0.0.1", port), Connected::kRefused);
  EXPECT_EQ(MigrationTarget(kLong).Connect("127.0.0.1", "no port"), Connected::kNo);
}

TEST(MigrationTargetTest, ASilentServerIsGivenUp) {
  ScriptedPeer peer("+O");
  MigrationTarget target(milliseconds(20));
  ASSERT_EQ(target.Connect("127.0.0.1", peer.port()), Connected::kYes);
  EXPECT_EQ(target.Reply(), std::nullopt);
}

TEST(MigrationTargetTest, AnEndlessLineIsGivenUp) {
  ScriptedPeer peer(std::string(1 << 20, 'x'));
  MigrationTarget target(kLong);
  ASSERT_EQ(target.Connect("127.0.0.1", peer.port()), Connected::kYes);
  EXPECT_EQ(target.Reply(), std::nullopt);
}

}  // namespace
}  // namespace cloakroom
