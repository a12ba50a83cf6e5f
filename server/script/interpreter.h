#ifndef CLOAKROOM_SERVER_SCRIPT_INTERPRETER_H_
#define CLOAKROOM_SERVER_SCRIPT_INTERPRETER_H_

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "server/script/sandbox.h"
#include "server/script/script_host.h"
#include "server/script/script_run.h"

struct lua_State;

namespace cloakroom {

/// One Lua state with the sandbox, and what the engines for scripts and for functions both do with
/// it. Private to this folder. Thread rule: one thread; memory_bytes() on any.
class Interpreter {
 public:
  explicit Interpreter(SandboxFor use);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  lua_State* lua() { return lua_; }
  ScriptRun& run() { return run_; }

  /// Around everything that runs code of a client. End leaves an empty stack and lets the collector
  /// take its step.
  void Begin(ScriptHost* host);
  void End();

  /// Pops a function and its arguments and calls it, under the host's control. Returns lua_pcall's
  /// status and leaves one result or error value. Whoever stops it is told `killed` as the error.
  int Call(int arguments, const char* killed);
  /// As Call, and pops what is left: appends the reply, or the error reply with the place in the
  /// script `name`.
  void CallForReply(int arguments, std::string_view name, int client_resp, std::string* reply);

  /// Pushes a table.
  void PushStrings(std::span<const std::string_view> strings);

  /// Lua's heap as of the last End.
  std::size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  void CollectGarbage();

  const SandboxFor use_;
  lua_State* const lua_;
  ScriptRun run_;
  int runs_since_collection_ = 0;
  std::atomic<std::size_t> memory_bytes_{0};
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_INTERPRETER_H_
