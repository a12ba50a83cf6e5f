#include "server/script/interpreter.h"

#include <cstdlib>

#include "server/script/lua.h"
#include "server/script/lua_to_reply.h"

namespace cloakroom {
namespace {

constexpr int kHookInstructions = 100'000;
// After kRunsPerStep scripts the collector advances by kStepSize units of about a KB, as in Redis.
constexpr int kRunsPerStep = 50;
constexpr int kStepSize = 50;
// A script that leaves a larger heap is followed by a full collection. This costs a fraction of the
// time that filling the heap took, and does not keep the memory for the next hundred scripts.
constexpr std::size_t kFullCollectionBytes = std::size_t{32} << 20;

struct Opening {
  ScriptRun* run;
  SandboxFor use;
};

int Open(lua_State* lua) {
  const auto* opening = static_cast<const Opening*>(lua_touserdata(lua, 1));
  SetRun(lua, opening->run);
  OpenSandbox(lua, opening->use);
  return 0;
}

void OnHook(lua_State* lua, lua_Debug*) {
  ScriptRun* run = RunOf(lua);
  if (!run->killed && !run->host->ShouldStop()) return;
  run->killed = true;
  // Raises the error again at every line, so that pcall does not help the script.
  lua_sethook(lua, OnHook, LUA_MASKLINE | LUA_MASKCOUNT, 1);
  lua_newtable(lua);
  lua_pushstring(lua, run->killed_error);
  lua_setfield(lua, -2, "err");
  lua_error(lua);
}

// Stack: the error value. Pops it and appends the error reply.
void AppendRunError(lua_State* lua, std::string_view name, const ScriptRun& run,
                    std::string* reply) {
  std::string text = run.killed ? run.killed_error : "ERR unknown error";
  std::string where;
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
    if (!run.killed && lua_isstring(lua, -1)) text = lua_tostring(lua, -1);
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
  } else if (!run.killed && lua_isstring(lua, -1)) {  // no memory, or an error in the handler
    text = std::string("ERR ") + lua_tostring(lua, -1);
  }
  lua_pop(lua, 1);
  if (!where.empty()) text.append(" script: ").append(name).append(where);
  AppendError(text, reply);
}

// Whether the value on top is an error table that a command's reply became, see reply_to_lua.cc.
bool IsErrorOfCommand(lua_State* lua) {
  if (!lua_istable(lua, -1)) return false;
  lua_pushliteral(lua, "ignore_error_stats_update");
  lua_rawget(lua, -2);
  const bool is = lua_toboolean(lua, -1) != 0;
  lua_pop(lua, 1);
  return is;
}

}  // namespace

Interpreter::Interpreter(SandboxFor use) : use_(use), lua_(luaL_newstate()) {
  Opening opening{&run_, use};
  if (lua_ == nullptr || lua_cpcall(lua_, Open, &opening) != 0) std::abort();
  memory_bytes_.store(static_cast<std::size_t>(lua_gc(lua_, LUA_GCCOUNT, 0)) << 10);
}

Interpreter::~Interpreter() { lua_close(lua_); }

void Interpreter::Begin(ScriptHost* host) {
  run_.host = host;
  run_.resp = 2;
  run_.killed = false;
}

void Interpreter::End() {
  lua_settop(lua_, 0);
  run_.host = nullptr;
  // A setting must not depend on the thread that a script runs on.
  if (run_.json_settings_changed) {
    run_.json_settings_changed = lua_cpcall(lua_, ResetLibraries, nullptr) != 0;
    lua_settop(lua_, 0);
  }
  CollectGarbage();
}

int Interpreter::Call(int arguments, const char* killed) {
  run_.killed_error = killed;
  const int handler = lua_gettop(lua_) - arguments;
  lua_pushcfunction(lua_, HandleError);
  lua_insert(lua_, handler);
  lua_sethook(lua_, OnHook, LUA_MASKCOUNT, kHookInstructions);
  const int status = lua_pcall(lua_, arguments, 1, handler);
  lua_sethook(lua_, nullptr, 0, 0);
  lua_remove(lua_, handler);
  return status;
}

void Interpreter::CallForReply(int arguments, std::string_view name, int client_resp,
                               std::string* reply) {
  const int status = Call(arguments, kScriptKilled);
  if (!run_.killed && IsErrorOfCommand(lua_)) run_.host->PassesErrorOn();
  if (status != 0 || run_.killed) {
    AppendRunError(lua_, name, run_, reply);
  } else {
    AppendReply(lua_, client_resp, run_.resp, reply);
  }
}

void Interpreter::PushStrings(std::span<const std::string_view> strings) {
  lua_createtable(lua_, static_cast<int>(strings.size()), 0);
  int index = 0;
  for (std::string_view text : strings) {
    lua_pushlstring(lua_, text.data(), text.size());
    lua_rawseti(lua_, -2, ++index);
  }
}

void Interpreter::CollectGarbage() {
  std::size_t bytes = static_cast<std::size_t>(lua_gc(lua_, LUA_GCCOUNT, 0)) << 10;
  if (bytes > kFullCollectionBytes) {
    if (use_ == SandboxFor::kScripts) {
      for (const char* name : {"KEYS", "ARGV"}) {
        PushStrings({});
        SetSandboxGlobal(lua_, name);
      }
    }
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
