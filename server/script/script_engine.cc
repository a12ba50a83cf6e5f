#include "server/script/script_engine.h"

#include <algorithm>

#include "server/script/interpreter.h"
#include "server/script/lua.h"
#include "server/script/lua_to_reply.h"
#include "server/script/read_only.h"
#include "server/script/sandbox.h"

namespace cloakroom {

ScriptEngine::ScriptEngine(ScriptCache* cache)
    : cache_(cache),
      interpreter_(std::make_unique<Interpreter>(SandboxFor::kScripts)),
      generation_(cache->generation()) {}

ScriptEngine::~ScriptEngine() = default;

std::size_t ScriptEngine::memory_bytes() const { return interpreter_->memory_bytes(); }

absl::StatusOr<ScriptPtr> ScriptEngine::Load(std::string_view text, bool pin) {
  absl::StatusOr<ScriptPtr> compiled = Compile(text);
  if (!compiled.ok()) return compiled;
  return cache_->Add(*std::move(compiled), pin);
}

absl::StatusOr<ScriptPtr> ScriptEngine::Compile(std::string_view text) {
  if (ScriptPtr known = cache_->FindText(text)) return known;
  absl::StatusOr<ScriptPtr> made = MakeScript(text);
  if (!made.ok()) return made;
  DropStaleFunctions();
  if (absl::Status pushed = PushFunction(*made); !pushed.ok()) return pushed;
  lua_pop(interpreter_->lua(), 1);
  return made;
}

void ScriptEngine::Run(const ScriptPtr& script, std::span<const std::string_view> keys,
                       std::span<const std::string_view> args, ScriptHost* host, int client_resp,
                       std::string* reply) {
  interpreter_->Begin(host);
  DropStaleFunctions();
  if (absl::Status pushed = PushFunction(script); !pushed.ok()) {
    AppendError(std::string(pushed.message()), reply);
  } else {
    lua_State* const lua = interpreter_->lua();
    interpreter_->PushStrings(keys);
    SetSandboxGlobal(lua, "KEYS");
    interpreter_->PushStrings(args);
    SetSandboxGlobal(lua, "ARGV");
    interpreter_->CallForReply(0, script->sha, client_resp, reply);
  }
  interpreter_->End();
}

// Compiles at first use. Pushes the function, or returns an error text and pushes nothing.
absl::Status ScriptEngine::PushFunction(const ScriptPtr& script) {
  lua_State* const lua = interpreter_->lua();
  const auto found = compiled_.find(script->id);
  if (found != compiled_.end()) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, found->second.function_ref);
    return absl::OkStatus();
  }
  if (LoadText(lua, script->body(), "@user_script") != 0) {
    absl::Status error = absl::InvalidArgumentError(
        absl::StrCat("ERR Error compiling script (new function): ", lua_tostring(lua, -1)));
    lua_pop(lua, 1);
    return error;
  }
  lua_pushvalue(lua, -1);
  compiled_.emplace(script->id, Compiled{script, luaL_ref(lua, LUA_REGISTRYINDEX)});
  return absl::OkStatus();
}

// After a flush, and whenever evictions may have left many behind.
void ScriptEngine::DropStaleFunctions() {
  const std::uint64_t generation = cache_->generation();
  if (generation == generation_ && compiled_.size() < sweep_at_) return;
  generation_ = generation;
  for (auto it = compiled_.begin(); it != compiled_.end();) {
    const auto here = it++;
    if (!here->second.script.expired()) continue;
    luaL_unref(interpreter_->lua(), LUA_REGISTRYINDEX, here->second.function_ref);
    compiled_.erase(here);
  }
  sweep_at_ = std::max<std::size_t>(1024, 2 * compiled_.size());
}

}  // namespace cloakroom
