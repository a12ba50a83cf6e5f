#include "server/script/script_engine.h"

#include <algorithm>
#include <cstdlib>

#include "server/script/lua.h"
#include "server/script/lua_to_reply.h"
#include "server/script/read_only.h"
#include "server/script/sandbox.h"
#include "server/script/script_run.h"

namespace cloakroom {
namespace {

constexpr int kHookInstructions = 100'000;
constexpr char kKilled[] = "ERR Script killed by user with SCRIPT KILL...";
// After kRunsPerStep scripts the collector advances by kStepSize units of about a KB, as in Redis.
constexpr int kRunsPerStep = 50;
constexpr int kStepSize = 50;
// A script that leaves a larger heap is followed by a full collection. This costs a fraction of the
// time that filling the heap took, and does not keep the memory for the next hundred scripts.
constexpr std::size_t kFullCollectionBytes = std::size_t{32} << 20;

int Open(lua_State* lua) {
  SetRun(lua, static_cast<ScriptRun*>(lua_touserdata(lua, 1)));
  OpenSandbox(lua);
  return 0;
}

void OnHook(lua_State* lua, lua_Debug*) {
  ScriptRun* run = RunOf(lua);
  if (!run->killed && !run->host->ShouldStop()) return;
  run->killed = true;
  // Raises the error again at every line, so that pcall does not help the script.
  lua_sethook(lua, OnHook, LUA_MASKLINE | LUA_MASKCOUNT, 1);
  lua_newtable(lua);
  lua_pushstring(lua, kKilled);
  lua_setfield(lua, -2, "err");
  lua_error(lua);
}

void SetStrings(lua_State* lua, const char* name, std::span<const std::string_view> strings) {
  lua_createtable(lua, static_cast<int>(strings.size()), 0);
  int index = 0;
  for (std::string_view text : strings) {
    lua_pushlstring(lua, text.data(), text.size());
    lua_rawseti(lua, -2, ++index);
  }
  SetSandboxGlobal(lua, name);
}

// Stack: the error value. Pops it and appends the error reply.
void AppendRunError(lua_State* lua, const Script& script, bool killed, std::string* reply) {
  std::string text = killed ? kKilled : "ERR unknown error";
  std::string where;
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    if (!killed && lua_isstring(lua, -1)) text = lua_tostring(lua, -1);
    lua_pop(lua, 1);
    lua_pushliteral(lua, "source");
    lua_rawget(lua, -2);
    lua_pushliteral(lua, "line");
    lua_rawget(lua, -3);
    if (lua_isstring(lua, -2) && lua_isnumber(lua, -1)) {
      where = std::string(", on ") + lua_tostring(lua, -2) + ":" +
              std::to_string(lua_tointeger(lua, -1)) + ".";
    }
    lua_pop(lua, 2);
  } else if (!killed && lua_isstring(lua, -1)) {  // out of memory, or an error in the handler
    text = std::string("ERR ") + lua_tostring(lua, -1);
  }
  lua_pop(lua, 1);
  AppendError(where.empty() ? text : text + " script: " + script.sha + where, reply);
}

}  // namespace

ScriptEngine::ScriptEngine(ScriptCache* cache)
    : cache_(cache),
      lua_(luaL_newstate()),
      run_(std::make_unique<ScriptRun>()),
      generation_(cache->generation()) {
  if (lua_ == nullptr || lua_cpcall(lua_, Open, run_.get()) != 0) std::abort();
  memory_bytes_.store(static_cast<std::size_t>(lua_gc(lua_, LUA_GCCOUNT, 0)) << 10);
}

ScriptEngine::~ScriptEngine() { lua_close(lua_); }

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
  lua_pop(lua_, 1);
  return made;
}

void ScriptEngine::Run(const ScriptPtr& script, std::span<const std::string_view> keys,
                       std::span<const std::string_view> args, ScriptHost* host, int client_resp,
                       std::string* reply) {
  run_->host = host;
  run_->resp = 2;
  run_->killed = false;
  DropStaleFunctions();
  lua_pushcfunction(lua_, HandleError);
  if (absl::Status pushed = PushFunction(script); !pushed.ok()) {
    AppendError(std::string(pushed.message()), reply);
  } else {
    Execute(*script, keys, args, client_resp, reply);
  }
  lua_settop(lua_, 0);
  run_->host = nullptr;
  // A setting must not depend on the thread that a script runs on.
  if (run_->json_settings_changed) {
    run_->json_settings_changed = lua_cpcall(lua_, ResetLibraries, nullptr) != 0;
    lua_settop(lua_, 0);
  }
  CollectGarbage();
}

// Stack: the error handler, the script's function.
void ScriptEngine::Execute(const Script& script, std::span<const std::string_view> keys,
                           std::span<const std::string_view> args, int client_resp,
                           std::string* reply) {
  SetStrings(lua_, "KEYS", keys);
  SetStrings(lua_, "ARGV", args);
  lua_sethook(lua_, OnHook, LUA_MASKCOUNT, kHookInstructions);
  const int status = lua_pcall(lua_, 0, 1, -2);
  lua_sethook(lua_, nullptr, 0, 0);
  if (status != 0 || run_->killed) {
    AppendRunError(lua_, script, run_->killed, reply);
  } else {
    AppendReply(lua_, client_resp, run_->resp, reply);
  }
}

// Compiles at first use. Pushes the function, or returns an error text and pushes nothing.
absl::Status ScriptEngine::PushFunction(const ScriptPtr& script) {
  const auto found = compiled_.find(script->id);
  if (found != compiled_.end()) {
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, found->second.function_ref);
    return absl::OkStatus();
  }
  if (LoadText(lua_, script->body(), "@user_script") != 0) {
    absl::Status error = absl::InvalidArgumentError(
        absl::StrCat("ERR Error compiling script (new function): ", lua_tostring(lua_, -1)));
    lua_pop(lua_, 1);
    return error;
  }
  lua_pushvalue(lua_, -1);
  compiled_.emplace(script->id, Compiled{script, luaL_ref(lua_, LUA_REGISTRYINDEX)});
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
    luaL_unref(lua_, LUA_REGISTRYINDEX, here->second.function_ref);
    compiled_.erase(here);
  }
  sweep_at_ = std::max<std::size_t>(1024, 2 * compiled_.size());
}

void ScriptEngine::CollectGarbage() {
  std::size_t bytes = static_cast<std::size_t>(lua_gc(lua_, LUA_GCCOUNT, 0)) << 10;
  if (bytes > kFullCollectionBytes) {
    SetStrings(lua_, "KEYS", {});
    SetStrings(lua_, "ARGV", {});
    lua_gc(lua_, LUA_GCCOLLECT, 0);
    runs_since_collection_ = 0;
  } else if (++runs_since_collection_ >= kRunsPerStep) {
    lua_gc(lua_, LUA_GCRESTART, 0);  // a script may have stopped it
    lua_gc(lua_, LUA_GCSTEP, kStepSize);
    runs_since_collection_ = 0;
  }
  bytes = static_cast<std::size_t>(lua_gc(lua_, LUA_GCCOUNT, 0)) << 10;
  memory_bytes_.store(bytes, std::memory_order_relaxed);
}

}  // namespace cloakroom
