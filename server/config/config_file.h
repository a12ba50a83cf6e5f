#ifndef CLOAKROOM_SERVER_CONFIG_CONFIG_FILE_H_
#define CLOAKROOM_SERVER_CONFIG_CONFIG_FILE_H_

#include <istream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloakroom::config {

/// One directive as it was written, and where.
struct Statement {
  std::string file;  // "" for the command line
  int line = 0;      // from 1; for the command line the number of the option
  std::string text;  // the line without surrounding white space
  std::vector<std::string> words;
  bool included = false;  // from a file that another one includes
};

/// Reads a configuration file and what it includes, in the order in which they apply. An include's
/// path may be a glob pattern (whose matches apply in order of name, and which may match nothing)
/// and counts from the working directory as in Redis, or else from the including file's folder.
/// Limits: 16 MiB a file, 16 includes deep. The error is the whole text that Redis prints before
/// it gives up. Blocks on the disk: start-up only.
absl::StatusOr<std::vector<Statement>> ReadConfigFile(const std::string& path);

/// The same from an open stream; `name` stands for it in errors.
absl::StatusOr<std::vector<Statement>> ReadConfigStream(std::istream& in, const std::string& name);

/// The text that a server prints when it cannot start because of one statement.
absl::Status FatalConfigError(const Statement& at, std::string_view reason);

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_CONFIG_FILE_H_
