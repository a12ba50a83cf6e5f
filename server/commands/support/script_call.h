#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRIPT_CALL_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRIPT_CALL_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/execution/call.h"
#include "server/execution/command_host.h"
#include "server/script/script.h"

namespace cloakroom {

// What the commands that run scripts (EVAL) and functions (FCALL), and those that change the known
// ones, have in common. The arguments of the former are: name or text, numkeys, keys, arguments.

/// numkeys, or nullopt with the error replied; `not_a_number` is the error for that case.
std::optional<size_t> TakeKeyCount(Call& call, std::string_view not_a_number = kNotInteger);

/// What a command that runs the script is to those who refuse or hold back requests. `flags`: those
/// of the command, which stand for a script that declares none.
uint32_t CommandFlagsOf(const ScriptFlags& script, uint32_t flags);

/// Whether a script with these flags may run now. One that declares flags counts as a command that
/// writes, unless it declares no-writes.
absl::Status MayRunScript(Call& call, const ScriptFlags& flags, bool read_only_command);

/// Whether the gates that a script needs are closed. Inside MULTI they are, unless a library was
/// replaced in between.
bool HoldsAllThatItMayReach(Call& call, bool may_leave_database);

/// Tells the monitors of the command, before the commands that it runs.
void TellMonitors(Call& call);

/// Runs a script for the command and replies. `run` gets a host, the keys and the arguments, and
/// appends the reply.
using ScriptRunner = absl::FunctionRef<void(CommandHost& host, CommandArguments keys,
                                            CommandArguments args, std::string* reply)>;
void RunScript(Call& call, const CommandHost::Guest& guest, size_t key_count, ScriptRunner run);

/// Whether the command comes from a log that is being loaded.
bool ComesFromLog(Call& call);

/// Changes the set of known scripts or functions and logs the change, unless it comes from a log
/// that is being loaded. Inside a transaction each change is logged by itself, before the
/// transaction: only then is the log in the order of the changes.
void ChangeScripts(Call& call, std::initializer_list<std::string_view> words,
                   absl::FunctionRef<void()> change);

/// Replies to SCRIPT KILL or FUNCTION KILL.
void KillScripts(Call& call, RunningScript::Kind kind);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRIPT_CALL_H_
