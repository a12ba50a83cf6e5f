#include "clients/drill/act.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/clients/support/scripted_server.h"
#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ActTest : public ::testing::Test {
 protected:
  ActTest() {
    std::string name = ::testing::TempDir() + "act-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~ActTest() override { std::filesystem::remove_all(folder_); }

  ActContext Context(const Address& primary, RunOptions options) {
    return {.primary = primary,
            .options = std::move(options),
            .interrupt = &interrupt_,
            .say = [](const std::string&) {}};
  }
  /// A command that leaves a file.
  std::string Touch(const std::string& name) const {
    return "touch '" + folder_ + "/" + name + "'";
  }
  bool IsThere(const std::string& name) const {
    return std::filesystem::exists(folder_ + "/" + name);
  }

  Signal interrupt_;
  std::string folder_;
  const Address nobody_ = {"127.0.0.1", 1};
};

TEST_F(ActTest, ACutIsHealedOnce) {
  const auto act = MakeAct(Context(
      nobody_, {.how = How::kCut, .cut_command = Touch("cut"), .heal_command = Touch("healed")}));
  ASSERT_OK(act->Begin());
  EXPECT_TRUE(IsThere("cut"));
  EXPECT_FALSE(IsThere("healed"));
  ASSERT_OK(act->End());
  EXPECT_TRUE(IsThere("healed"));
  std::filesystem::remove(folder_ + "/healed");
  ASSERT_OK(act->End());
  EXPECT_FALSE(IsThere("healed"));
}

TEST_F(ActTest, ACutThatFailsIsHealedToo) {
  const auto act = MakeAct(Context(
      nobody_, {.how = How::kCut, .cut_command = "false", .heal_command = Touch("healed")}));
  EXPECT_THAT(act->Begin(), FailsWith(HasSubstr("status 1")));
  ASSERT_OK(act->End());
  EXPECT_TRUE(IsThere("healed"));
}

TEST_F(ActTest, NothingIsHealedBeforeItHasBegun) {
  const auto act = MakeAct(
      Context(nobody_, {.how = How::kCut, .cut_command = "true", .heal_command = Touch("healed")}));
  ASSERT_OK(act->End());
  EXPECT_FALSE(IsThere("healed"));
}

TEST_F(ActTest, AKilledPrimarySaysNothing) {
  ScriptedServer primary([](const std::string& request) -> std::string {
    return request.starts_with("SHUTDOWN") ? "" : ScriptedServer::kOk;
  });
  EXPECT_OK(MakeAct(Context(primary.address(), {.how = How::kKill}))->Begin());
  EXPECT_EQ(primary.CountOf("SHUTDOWN NOSAVE NOW FORCE"), 1);
}

TEST_F(ActTest, AnOldPrimaryIsKilledInItsOwnWords) {
  ScriptedServer primary([](const std::string& request) -> std::string {
    if (request == "SHUTDOWN NOSAVE NOW FORCE") return "-ERR syntax error\r\n";
    return request == "SHUTDOWN NOSAVE" ? "" : ScriptedServer::kOk;
  });
  EXPECT_OK(MakeAct(Context(primary.address(), {.how = How::kKill}))->Begin());
}

TEST_F(ActTest, APrimaryThatRefusesToEndIsAnError) {
  ScriptedServer primary([](const std::string& request) -> std::string {
    return request.starts_with("SHUTDOWN") ? "-NOPERM no\r\n" : ScriptedServer::kOk;
  });
  EXPECT_THAT(MakeAct(Context(primary.address(), {.how = How::kKill}))->Begin(),
              FailsWith(HasSubstr("NOPERM")));
}

/// A server of this product, which answers DEBUG like this.
ScriptedServer::Script Product(const std::string& version_field, const std::string& debug_reply) {
  return [version_field, debug_reply](const std::string& request) -> std::string {
    if (request.starts_with("INFO")) return ScriptedServer::Bulk(version_field + ":1.0\r\n");
    return request.starts_with("DEBUG") ? debug_reply : ScriptedServer::kOk;
  };
}

TEST_F(ActTest, AFreezeDoesNotWaitForItsReply) {
  ScriptedServer primary(Product("redis_version", "$5\r\nnever"));
  const auto act = MakeAct(Context(primary.address(), {.how = How::kFreeze, .hold_s = 9}));
  ASSERT_OK(act->Begin());
  ASSERT_OK(act->End());
}

TEST_F(ActTest, AFreezeIsTriedBefore) {
  ScriptedServer primary(Product("redis_version", "-ERR DEBUG command not allowed\r\n"));
  EXPECT_THAT(CanAct(Context(primary.address(), {.how = How::kFreeze})),
              FailsWith(HasSubstr("enable-debug-command")));
  EXPECT_EQ(primary.requests().back(), "DEBUG SLEEP 0");
}

TEST_F(ActTest, CloakroomIsFrozenByAPauseOfAllClients) {
  ScriptedServer primary(Product("cloakroom_version", "-ERR DEBUG command not allowed\r\n"));
  const ActContext context = Context(primary.address(), {.how = How::kFreeze, .hold_s = 9});
  EXPECT_OK(CanAct(context));
  ASSERT_OK(MakeAct(context)->Begin());
  EXPECT_EQ(primary.requests().back(), "CLIENT PAUSE 9000 ALL");
  EXPECT_EQ(primary.CountOf("DEBUG"), 0);
}

TEST_F(ActTest, APrimaryWithoutFailoverCannotHandOver) {
  ScriptedServer primary([](const std::string& request) -> std::string {
    return request.starts_with("COMMAND") ? "*1\r\n*-1\r\n" : ScriptedServer::kOk;
  });
  EXPECT_THAT(CanAct(Context(primary.address(), {.how = How::kGraceful})),
              FailsWith(HasSubstr("no FAILOVER")));
}

TEST_F(ActTest, OnlyWhatLastsIsHeld) {
  EXPECT_EQ(HoldSeconds({.how = How::kGraceful, .hold_s = 9}), 0);
  EXPECT_EQ(HoldSeconds({.how = How::kKill, .hold_s = 9}), 0);
  EXPECT_EQ(HoldSeconds({.how = How::kKill, .hold_s = 9, .heal_command = "x"}), 9);
  EXPECT_EQ(HoldSeconds({.how = How::kFreeze, .hold_s = 9}), 9);
}

}  // namespace
}  // namespace cloakroom::drill
