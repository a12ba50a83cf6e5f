#ifndef CLOAKROOM_SERVER_PROCESS_COMMAND_LINE_HELP_H_
#define CLOAKROOM_SERVER_PROCESS_COMMAND_LINE_HELP_H_

#include <string>

#include "server/config/config_store.h"

namespace cloakroom {

/// How a process of this program can end, as `--help` documents it.
enum ExitCode : int {
  kExitDone = 0,         ///< told to end, or a question such as --help was answered
  kExitCannotStart = 1,  ///< the server log, or standard error, says why and what to do
};

/// What `--help` prints. packaging/manual.py makes the man page and the shell completion from this
/// text as it is in the source: a section is a line that ends in a colon; an entry is indented by
/// two blanks, and two or more blanks separate it from its meaning.
extern const char kServerHelp[];

/// What `--print-defaults` prints: a configuration file that sets every directive to its default.
std::string DefaultConfiguration();

/// What `--check-config` prints for a configuration that could be loaded: its name, and the
/// directives that have no effect.
std::string CheckedConfiguration(const ConfigStore& config);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_COMMAND_LINE_HELP_H_
