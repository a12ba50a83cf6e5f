#include "server/execution/admission.h"

#include <gtest/gtest.h>

#include "server/execution/command_table.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// Admission of requests that do not come directly from a client; executor_test.cc tests those.
class AdmissionTest : public ServerTest {
 protected:
  std::string InScript(std::vector<std::string_view> args, Admission::ScriptTerms terms = {}) {
    return TextOf(admission_.AdmitInScript(terms, server_.commands().Find(args), args));
  }
  std::string InLog(std::vector<std::string_view> args) {
    return TextOf(admission_.AdmitFromLog(server_.commands().Find(args), args));
  }

  /// The text of a refusal; "" if there is none.
  static std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

  Admission admission_{server_, server_.thread(0)};
};

TEST_F(AdmissionTest, AScriptMayCallWhatExistsWithTheRightNumberOfArguments) {
  EXPECT_EQ(InScript({"get", "k"}), "");
  EXPECT_EQ(InScript({"nonsense"}), "ERR Unknown Redis command called from script");
  EXPECT_EQ(InScript({"get"}), "ERR Wrong number of args calling Redis command from script");
  EXPECT_EQ(InScript({"config"}), "ERR Wrong number of args calling Redis command from script");
  EXPECT_EQ(InScript({"multi"}), "ERR This Redis command is not allowed from script");
}

TEST_F(AdmissionTest, AReadOnlyScriptNeitherWritesNorPublishes) {
  const std::string refused = "ERR Write commands are not allowed from read-only scripts.";
  EXPECT_EQ(InScript({"set", "k", "v"}, {.read_only = true}), refused);
  EXPECT_EQ(InScript({"publish", "c", "m"}, {.read_only = true}), refused);
  EXPECT_EQ(InScript({"get", "k"}, {.read_only = true}), "");
}

TEST_F(AdmissionTest, WithoutMemoryAScriptMayOnlyDoWhatTakesNone) {
  EXPECT_EQ(InScript({"set", "k", "v"}, {.out_of_memory = true}), kOutOfMemory);
  EXPECT_EQ(InScript({"del", "k"}, {.out_of_memory = true}), "");
}

TEST_F(AdmissionTest, ALogHoldsCommandsOfTheKeyspaceAndScripts) {
  EXPECT_EQ(InLog({"set", "k", "v"}), "");
  EXPECT_EQ(InLog({"script", "load", "return 1"}), "");
  EXPECT_EQ(InLog({"nonsense"}), "unknown command 'nonsense'");
  EXPECT_EQ(InLog({"config"}), "unknown command 'config'");
  EXPECT_EQ(InLog({"set", "k"}), "wrong number of arguments for 'set'");
  EXPECT_EQ(InLog({"subscribe", "c"}), "'subscribe' has no place in a log");
}

}  // namespace
}  // namespace cloakroom
