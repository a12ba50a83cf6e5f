#include "server/execution/secrets.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

using Words = std::vector<std::string_view>;

using Hide = void (*)(Words&);

Words Shown(Hide hide, const Words& args) {
  return WithoutSecrets(CommandRow{.hide_secrets = hide}, args);
}

TEST(SecretsTest, AuthShowsNothing) {
  EXPECT_EQ(Shown(HideAuthSecrets, {"AUTH", "me", "pw"}),
            (Words{"AUTH", "(redacted)", "(redacted)"}));
}

TEST(SecretsTest, HelloHidesUserAndPasswordOnly) {
  EXPECT_EQ(Shown(HideHelloSecrets, {"HELLO", "3", "auth", "me", "pw", "SETNAME", "n"}),
            (Words{"HELLO", "3", "auth", "(redacted)", "(redacted)", "SETNAME", "n"}));
  EXPECT_EQ(Shown(HideHelloSecrets, {"HELLO", "3", "AUTH"}), (Words{"HELLO", "3", "AUTH"}));
}

TEST(SecretsTest, MigrateHidesItsCredentialsOnly) {
  EXPECT_EQ(Shown(HideMigrateSecrets,
                  {"MIGRATE", "h", "1", "", "0", "9", "COPY", "AUTH", "pw", "KEYS", "a"}),
            (Words{"MIGRATE", "h", "1", "", "0", "9", "COPY", "AUTH", "(redacted)", "KEYS", "a"}));
  EXPECT_EQ(Shown(HideMigrateSecrets, {"MIGRATE", "h", "1", "k", "0", "9", "auth2", "me", "pw"}),
            (Words{"MIGRATE", "h", "1", "k", "0", "9", "auth2", "(redacted)", "(redacted)"}));
  EXPECT_EQ(Shown(HideMigrateSecrets, {"MIGRATE", "h", "1", "", "0", "9", "KEYS", "auth", "a"}),
            (Words{"MIGRATE", "h", "1", "", "0", "9", "KEYS", "auth", "a"}));
}

TEST(SecretsTest, ConfigSetHidesPasswordsOnly) {
  EXPECT_EQ(Shown(HideConfigSecrets, {"CONFIG", "SET", "port", "1", "RequirePass", "pw"}),
            (Words{"CONFIG", "SET", "port", "1", "RequirePass", "(redacted)"}));
}

TEST(SecretsTest, OtherCommandsAreShownAsTheyAre) {
  EXPECT_EQ(Shown(nullptr, {"SET", "auth", "pw"}), (Words{"SET", "auth", "pw"}));
}

}  // namespace
}  // namespace cloakroom
