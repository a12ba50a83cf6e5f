#ifndef CLOAKROOM_SERVER_CONFIG_REWRITE_H_
#define CLOAKROOM_SERVER_CONFIG_REWRITE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config/directive.h"

namespace cloakroom::config {

/// What CONFIG REWRITE wants for one directive.
struct Wanted {
  enum Place {
    kAnywhere,  // in place of the lines that set it now; further lines at the end
    kAtTheEnd,  // at the end only, because an included file sets it too
    kAsItIs     // not touched
  };
  Place place = kAnywhere;
  Value value;
  std::vector<std::string> lines;  // lines of a file that set this value
  std::vector<std::string> usual;  // lines of its default; an overlay's need not be added
  bool needed = false;             // add the lines when the file does not mention it
};

/// The new text of a configuration file. Comments, blank lines, includes and the order stay; a line
/// that already sets the wanted value stays as it is. New lines follow a marker line at the end.
/// Pure.
std::string RewrittenConfig(std::string_view original,
                            const absl::flat_hash_map<const Directive*, Wanted>& wanted);

/// Replaces a file atomically: writes a temporary file beside it, fsync, rename, fsync of the
/// folder. Keeps the old file's mode; follows a symbolic link. An error leaves the old file as it
/// was. Blocks on the disk: never call it on an event loop.
absl::Status ReplaceFile(const std::string& path, std::string_view text);

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_REWRITE_H_
