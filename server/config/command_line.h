#ifndef CLOAKROOM_SERVER_CONFIG_COMMAND_LINE_H_
#define CLOAKROOM_SERVER_CONFIG_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "server/config/config_file.h"

namespace cloakroom {

/// The arguments of cloakroom-server, in redis-server's grammar:
///   [--check-config] [FILE.conf] [--directive value ...] ... [-]
/// The caller answers version, help and defaults, then hands the rest to ConfigStore::Load.
struct CommandLine {
  bool version = false;         // --version, -v, alone
  bool help = false;            // --help, -h, alone
  bool print_defaults = false;  // --print-defaults, alone
  bool check_config = false;    // --check-config, in front: check, and do not serve
  bool read_stdin = false;      // "-": more directives come from standard input
  std::string config_file;      // an absolute path, or "" when none was given
  std::vector<config::Statement> options;
};

/// `arguments` leaves out the program's name. Pure except that it asks for the working directory.
/// Load checks that the directives exist. The word right after --name is its value even when it
/// starts with "--", unless it names a directive ("--save --port 1" saves nothing). An option may
/// also come as one word ("--save 900 1").
CommandLine ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONFIG_COMMAND_LINE_H_
