// cloakroom-drill: checks whether a failover would succeed, and rehearses one.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "clients/drill/check.h"
#include "clients/drill/help.h"
#include "clients/drill/options.h"
#include "clients/drill/rehearsal.h"
#include "protocol/version.h"

namespace cloakroom::drill {
namespace {

constexpr int kWrongArguments = 3;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Other users of the machine see a process' arguments.
void HidePasswords(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string_view name = argv[i];
    if (name != "--password" && name != "--sentinel-password") continue;
    std::memset(argv[i + 1], '*', std::strlen(argv[i + 1]));
  }
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Options> options =
      ParseOptions(std::vector<std::string_view>(argv + 1, argv + argc), Variable);
  HidePasswords(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "cloakroom-drill: %s; see cloakroom-drill --help\n",
                 std::string(options.status().message()).c_str());
    return kWrongArguments;
  }
  switch (options->task) {
    case Options::Task::kHelp:
      std::fputs(kDrillHelp, stdout);
      return 0;
    case Options::Task::kVersion:
      std::printf("cloakroom-drill %s\n", kCloakroomVersion);
      return 0;
    case Options::Task::kCheck:
      return Check(options->where, options->check);
    case Options::Task::kRun:
      return Rehearse(options->where, options->run);
  }
  return kWrongArguments;
}

}  // namespace
}  // namespace cloakroom::drill

int main(int argc, char** argv) { return cloakroom::drill::Main(argc, argv); }
