#ifndef CLOAKROOM_SERVER_SCRIPT_SCRIPT_ENGINE_H_
#define CLOAKROOM_SERVER_SCRIPT_SCRIPT_ENGINE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/script/script.h"
#include "server/script/script_cache.h"
#include "server/script/script_host.h"

namespace cloakroom {

class Interpreter;

/// One Lua interpreter with Redis' sandbox: compiles and runs scripts for one event-loop thread.
///
/// Thread rule: one thread; memory_bytes() on any. Scripts do not nest: a host must refuse EVAL and
/// its like while it serves a script.
class ScriptEngine {
 public:
  /// The cache is shared by all engines and must outlive them.
  explicit ScriptEngine(ScriptCache* cache);
  ~ScriptEngine();
  ScriptEngine(const ScriptEngine&) = delete;
  ScriptEngine& operator=(const ScriptEngine&) = delete;

  /// Returns the script of a full text, for EVAL (`pin` false) and SCRIPT LOAD (`pin` true). A new
  /// text is parsed and compiled first. A text that fails is not cached; the error has the text of
  /// the reply.
  absl::StatusOr<ScriptPtr> Load(std::string_view text, bool pin);
  /// As Load, but does not keep the script in the cache.
  absl::StatusOr<ScriptPtr> Compile(std::string_view text);

  /// Runs a script and appends its one reply, encoded for a client of RESP version `client_resp` (2
  /// or 3), to *reply. Errors become error replies. The host decides what the script may do: it
  /// applies script.flags and EVAL_RO to each command.
  void Run(const ScriptPtr& script, std::span<const std::string_view> keys,
           std::span<const std::string_view> args, ScriptHost* host, int client_resp,
           std::string* reply);

  /// Lua's heap in bytes as of the last run: INFO used_memory_vm_eval (used_memory_lua) is the sum
  /// over all engines.
  std::size_t memory_bytes() const;

 private:
  struct Compiled {
    std::weak_ptr<const Script> script;
    int function_ref;
  };

  void DropStaleFunctions();
  absl::Status PushFunction(const ScriptPtr& script);

  ScriptCache* const cache_;
  const std::unique_ptr<Interpreter> interpreter_;
  absl::flat_hash_map<std::uint64_t, Compiled> compiled_;  ///< by Script::id
  std::size_t sweep_at_ = 1024;
  std::uint64_t generation_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SCRIPT_ENGINE_H_
