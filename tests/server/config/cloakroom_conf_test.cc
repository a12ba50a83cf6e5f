// The project's configuration file sets what the server does without a file.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "server/config/config_file.h"
#include "server/config/config_store.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

std::string ConfPath() { return CLOAKROOM_SOURCE_DIR "/cloakroom.conf"; }

TEST(CloakroomConf, EqualsTheDefaults) {
  ConfigStore from_file;
  ASSERT_OK(from_file.Load(ParseCommandLine({ConfPath()})));
  ConfigStore defaults;
  std::vector<std::string_view> all = {"*"};
  EXPECT_EQ(from_file.Get(all), defaults.Get(all));
}

TEST(CloakroomConf, MentionsEverythingThatHasAMeaning) {
  auto statements = config::ReadConfigFile(ConfPath());
  ASSERT_TRUE(statements.ok());
  std::set<const config::Directive*> mentioned;
  for (const config::Statement& statement : *statements) {
    mentioned.insert(config::FindDirective(statement.words[0]));
  }
  for (const config::Directive& row : config::ServingDirectives()) {
    bool depends_on_machine = row.name == "io-threads";
    // Of a primary: no line says that it is one.
    const bool has_no_line = row.name == "replicaof";
    // Hidden ones are for tests, as in Redis.
    if (row.Is(config::kRepeatable) || row.Is(config::kHidden)) continue;
    if (depends_on_machine || has_no_line) continue;
    EXPECT_TRUE(mentioned.contains(&row)) << row.name;
  }
}

TEST(CloakroomConf, SetsNothingInVain) {
  ConfigStore store;
  ASSERT_OK(store.Load(ParseCommandLine({ConfPath()})));
  EXPECT_EQ(store.GivenWithoutEffect(), std::vector<std::string>());
}

TEST(CloakroomConf, SurvivesARewriteWordForWord) {
  auto folder = std::filesystem::temp_directory_path();
  std::string copy = folder / ("cloakroom-conf-test." + std::to_string(getpid()));
  std::filesystem::copy_file(ConfPath(), copy, std::filesystem::copy_options::overwrite_existing);
  ConfigStore store;
  ASSERT_OK(store.Load(ParseCommandLine({copy})));
  ASSERT_OK(store.Rewrite());
  auto before = config::ReadConfigFile(ConfPath());
  auto after = config::ReadConfigFile(copy);
  std::filesystem::remove(copy);
  ASSERT_EQ(after->size(), before->size());
  for (size_t i = 0; i < before->size(); ++i) EXPECT_EQ((*after)[i].text, (*before)[i].text);
}

}  // namespace
}  // namespace cloakroom
