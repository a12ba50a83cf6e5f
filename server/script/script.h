#ifndef CLOAKROOM_SERVER_SCRIPT_SCRIPT_H_
#define CLOAKROOM_SERVER_SCRIPT_SCRIPT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cloakroom {

// A script's text, and what is known without running it. Immutable, shared between threads.

/// From the first line `#!lua flags=...`. A script without that line is in compatibility mode: the
/// server decides from the commands that it calls.
struct ScriptFlags {
  bool declared = false;  ///< the script has a `#!` line
  bool no_writes = false;
  bool allow_oom = false;
  bool allow_stale = false;
  bool no_cluster = false;
  bool allow_cross_slot_keys = false;

  bool operator==(const ScriptFlags&) const = default;
};

/// Sets the flag with this name, in any case if `ignore_case`. False: there is none.
bool SetFlag(std::string_view name, bool ignore_case, ScriptFlags* flags);
/// The names of the flags that are set, in Redis' order.
std::vector<std::string_view> FlagNames(const ScriptFlags& flags);

struct Script {
  std::uint64_t id = 0;  ///< unique in the process, never reused
  std::string sha;       ///< SHA1 of the text, 40 lower-case hex digits
  std::string text;
  std::size_t body_offset = 0;  ///< where Lua starts: 0, or the newline that ends the `#!` line
  ScriptFlags flags;
  bool may_leave_database = false;  ///< the text may reach another database than the selected one

  std::string_view body() const { return std::string_view(text).substr(body_offset); }
};

using ScriptPtr = std::shared_ptr<const Script>;

/// Whether a script may reach another database: its text names a command that can (SELECT, MOVE …),
/// or calls commands whose names are not literals in it. The server then closes the gates of all
/// databases around it. A wrong yes costs concurrency, never correctness. If a script hides such a
/// call nevertheless, the call fails with an error.
bool MayLeaveDatabase(std::string_view text);

/// Parses the `#!` line and computes the SHA1. Does not compile. An error is the text of the reply.
absl::StatusOr<ScriptPtr> MakeScript(std::string_view text);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SCRIPT_H_
