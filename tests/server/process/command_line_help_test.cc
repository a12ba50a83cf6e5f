#include "server/process/command_line_help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/config/config_store.h"
#include "tests/server/config/temporary_folder.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ServerHelp, FitsATerminal) {
  for (absl::string_view line : absl::StrSplit(kServerHelp, '\n')) EXPECT_LE(line.size(), 100u);
}

TEST(ServerHelp, NamesTheExitCodes) {
  EXPECT_THAT(kServerHelp, HasSubstr("\n  0  "));
  EXPECT_THAT(kServerHelp, HasSubstr("\n  1  "));
}

TEST(DefaultConfiguration, LoadsAndChangesNothing) {
  TemporaryFolder folder;
  std::string path = folder.Write("defaults.conf", DefaultConfiguration());
  ConfigStore loaded;
  ASSERT_OK(loaded.Load(ParseCommandLine({path})));
  ConfigStore defaults;
  std::vector<std::string_view> all = {"*"};
  EXPECT_EQ(loaded.Get(all), defaults.Get(all));
}

TEST(DefaultConfiguration, ShowsEveryDirectiveOnceThatConfigGetShows) {
  std::string text = "\n" + DefaultConfiguration();
  EXPECT_THAT(text, HasSubstr("\nport 6379\n"));
  for (const config::Directive* row : config::AllDirectives()) {
    bool is_shown = !row->Is(config::kRepeatable) && !row->Is(config::kHidden);
    std::string name(row->name);
    if (is_shown) {
      EXPECT_THAT(text, AnyOf(HasSubstr("\n" + name + " "), HasSubstr("\n# " + name + "\n")));
    } else {
      EXPECT_THAT(text, Not(HasSubstr("\n" + name + " ")));
    }
  }
}

TEST(CheckedConfiguration, NamesTheFileAndWhatHasNoEffect) {
  TemporaryFolder folder;
  std::string path = folder.Write("a.conf", "port 7000\ncluster-enabled no\n");
  ConfigStore store;
  ASSERT_OK(store.Load(ParseCommandLine({path})));
  EXPECT_EQ(CheckedConfiguration(store),
            path +
                ": no errors found\n"
                "Accepted, but without effect in this version: cluster-enabled\n");
  EXPECT_EQ(CheckedConfiguration(ConfigStore()), "The configuration: no errors found\n");
}

}  // namespace
}  // namespace cloakroom
