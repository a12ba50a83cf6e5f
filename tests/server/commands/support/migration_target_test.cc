#include "server/commands/support/migration_target.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/support/scripted_peer.h"

namespace cloakroom {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};

std::vector<std::string_view> Words(std::initializer_list<std::string_view> words) { return words; }

TEST(MigrationTargetTest, SendsRequestsAndReadsRepliesLineByLine) {
  ScriptedPeer peer("+OK\r\n-ERR no\r\n");
  {
    MigrationTarget target(kLong);
    ASSERT_TRUE(target.Connect("127.0.0.1", peer.port()).ok());
    EXPECT_TRUE(target.Send(Words({"SELECT", "3"})).ok());
    EXPECT_EQ(*target.Reply(), "+OK");
    EXPECT_EQ(*target.Reply(), "-ERR no");
  }
  EXPECT_EQ(peer.Received(), "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
}

TEST(MigrationTargetTest, ALargeWordArrivesWhole) {
  ScriptedPeer peer("");
  const std::string large(1'000'000, 'x');
  {
    MigrationTarget target(kLong);
    ASSERT_TRUE(target.Connect("localhost", peer.port()).ok());
    EXPECT_TRUE(target.Send(Words({"A", large, "B"})).ok());
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
  EXPECT_TRUE(absl::IsUnavailable(target.Connect("127.0.0.1", port)));
  EXPECT_TRUE(absl::IsNotFound(MigrationTarget(kLong).Connect("127.0.0.1", "no port")));
  EXPECT_TRUE(absl::IsNotFound(MigrationTarget(kLong).Connect("", port)));
}

TEST(MigrationTargetTest, ASilentServerIsGivenUp) {
  ScriptedPeer peer("+O");
  MigrationTarget target(milliseconds(20));
  ASSERT_TRUE(target.Connect("127.0.0.1", peer.port()).ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(target.Reply().status()));
}

TEST(MigrationTargetTest, AnEndlessLineIsGivenUp) {
  ScriptedPeer peer(std::string(1 << 20, 'x'));
  MigrationTarget target(kLong);
  ASSERT_TRUE(target.Connect("127.0.0.1", peer.port()).ok());
  EXPECT_TRUE(absl::IsAborted(target.Reply().status()));
}

}  // namespace
}  // namespace cloakroom
