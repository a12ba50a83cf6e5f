#ifndef CLOAKROOM_SERVER_CONFIG_CONFIG_FILE_H_
#define CLOAKROOM_SERVER_CONFIG_CONFIG_FILE_H_

#include <istream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloakroom::config {

/// One directive as it was written, and its place.
struct Statement {
  std::string file;  // "" for the command line
  int line = 0;      // from 1; on the command line, the number of the option
  std::string text;  // the line without surrounding white space
  std::vector<std::string> words;
  bool included = false;  // from a file that another one includes
};

/// Reads a configuration file and its includes, in the order in which they apply. An include's path
/// may be a glob pattern, which may match nothing; matches apply in order of name. It is relative
/// to the working directory as in Redis, or else to the including file's folder. Limits: 16 MiB per
/// file, 16 levels of includes. The error is the whole text that Redis prints before it gives up.
/// Blocks on the disk: start-up only.
absl::StatusOr<std::vector<Statement>> ReadConfigFile(const std::string& path);

/// The same from an open stream; errors call it `name`.
absl::StatusOr<std::vector<Statement>> ReadConfigStream(std::istream& in, const std::string& name);

/// The text that a server prints when it cannot start because of one statement.
absl::Status FatalConfigError(const Statement& at, std::string_view reason);

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_CONFIG_FILE_H_
