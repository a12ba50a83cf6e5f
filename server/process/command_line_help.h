#ifndef CLOAKROOM_SERVER_PROCESS_COMMAND_LINE_HELP_H_
#define CLOAKROOM_SERVER_PROCESS_COMMAND_LINE_HELP_H_

#include <string>

#include "server/config/config_store.h"

namespace cloakroom {

/// How a process of this program can end, as `--help` documents it.
enum ExitCode : int {
  kExitDone = 0,         ///< told to end, or the question was answered
  kExitCannotStart = 1,  ///< the log, or standard error, says why and what to do
};

/// What `--help` prints. The man page and the shell's completion are made from this text, as it
/// stands in the source, by packaging/manual.py: a section is a line that ends in a colon, an entry
/// is indented by two blanks, and two blanks or more stand before what it means.
extern const char kServerHelp[];

/// What `--print-defaults` prints: a configuration file that sets every directive to its default.
std::string DefaultConfiguration();

/// What `--check-config` prints for a configuration that could be loaded: its name, and what in
/// it has no effect.
std::string CheckedConfiguration(const ConfigStore& config);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_COMMAND_LINE_HELP_H_
