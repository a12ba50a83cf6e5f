// The `redis` table of scripts.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>

#include "server/script/lua.h"
#include "server/script/reply_to_lua.h"
#include "server/script/sandbox.h"
#include "server/script/script_run.h"
#include "server/script/sha1.h"

namespace cloakroom {
namespace {

constexpr std::size_t kKeptReplyBytes = 64 * 1024;  // a larger buffer is freed after the call
constexpr std::size_t kNumberChars = 32;            // %.17g needs 24

// Pushes an error table. REQUIRES: text starts with an error code.
void PushError(lua_State* lua, const char* text) {
  lua_createtable(lua, 0, 3);
  lua_pushliteral(lua, "err");
  lua_pushstring(lua, text);
  lua_rawset(lua, -3);
}

ScriptRun* Run(lua_State* lua) {
  return static_cast<ScriptRun*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

// Writes a number as an argument of a command: integers in full, others with 17 digits.
std::size_t FormatNumber(lua_Number number, char* out) {
  constexpr lua_Number kExact = 1e15;
  if (std::abs(number) < kExact && number == std::trunc(number) && !std::signbit(number)) {
    return std::to_chars(out, out + kNumberChars, static_cast<std::int64_t>(number)).ptr - out;
  }
  return std::snprintf(out, kNumberChars, "%.17g", number);
}

// Collects the Lua arguments in run->args, without copying strings. Returns an error text or
// nullptr.
const char* GatherArguments(lua_State* lua, ScriptRun* run) {
  const int count = lua_gettop(lua);
  if (count == 0) return "ERR Please specify at least one argument for this redis lib call";
  run->args.clear();
  // Sized before the first view points into it.
  if (run->numbers.size() < count * kNumberChars) run->numbers.resize(count * kNumberChars);
  char* digits = run->numbers.data();
  for (int i = 1; i <= count; ++i) {
    const int type = lua_type(lua, i);
    if (type == LUA_TSTRING) {
      std::size_t size = 0;
      const char* text = lua_tolstring(lua, i, &size);
      run->args.emplace_back(text, size);
    } else if (type == LUA_TNUMBER) {
      const std::size_t size = FormatNumber(lua_tonumber(lua, i), digits);
      run->args.emplace_back(digits, size);
      digits += kNumberChars;
    } else {
      return "ERR Lua redis lib command arguments must be strings or integers";
    }
  }
  return nullptr;
}

int CallCommand(lua_State* lua, bool raise) {
  ScriptRun* run = Run(lua);
  if (const char* error = GatherArguments(lua, run); error != nullptr) {
    PushError(lua, error);
    return raise ? lua_error(lua) : 1;
  }
  // When a coroutine is killed, its creator still runs: it must not reach the data any more.
  if (run->killed) return RaiseError(lua, run->killed_error);
  run->reply.clear();
  run->host->Call(run->args, run->resp, &run->reply);
  lua_settop(lua, 0);  // room for the reply: the arguments may fill the whole stack
  PushReply(lua, run->reply);
  const bool failed = run->reply.starts_with('-') || run->reply.starts_with('!');
  if (run->reply.capacity() > kKeptReplyBytes) std::string().swap(run->reply);
  return failed && raise ? lua_error(lua) : 1;
}

int Call(lua_State* lua) { return CallCommand(lua, true); }
int PCall(lua_State* lua) { return CallCommand(lua, false); }

int AclCheckCommand(lua_State* lua) {
  ScriptRun* run = Run(lua);
  if (const char* error = GatherArguments(lua, run); error != nullptr) {
    return RaiseError(lua, error);
  }
  const std::optional<bool> allowed = run->host->CommandAllowed(run->args);
  if (!allowed) return RaiseError(lua, "ERR Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(lua, *allowed);
  return 1;
}

int Log(lua_State* lua) {
  ScriptRun* run = Run(lua);
  const int count = lua_gettop(lua);
  if (count < 2) return RaiseError(lua, "ERR redis.log() requires two arguments or more.");
  if (!lua_isnumber(lua, 1)) {
    return RaiseError(lua, "ERR First argument must be a number (log level).");
  }
  const lua_Number level = lua_tonumber(lua, 1);
  if (!(level > -1 && level < 4)) return RaiseError(lua, "ERR Invalid debug level.");
  run->scratch.clear();
  for (int i = 2; i <= count; ++i) {
    std::size_t size = 0;
    const char* text = lua_tolstring(lua, i, &size);
    if (text == nullptr) continue;
    if (!run->scratch.empty()) run->scratch.push_back(' ');
    run->scratch.append(text, size);
  }
  run->host->Log(static_cast<int>(level), run->scratch);
  return 0;
}

int SetResp(lua_State* lua) {
  if (lua_gettop(lua) != 1) return RaiseError(lua, "ERR redis.setresp() requires one argument.");
  const lua_Number version = lua_tonumber(lua, 1);
  if (version != 2 && version != 3) return RaiseError(lua, "ERR RESP version must be 2 or 3.");
  Run(lua)->resp = static_cast<int>(version);
  return 0;
}

int Sha1HexOf(lua_State* lua) {
  if (lua_gettop(lua) != 1) return RaiseError(lua, "ERR wrong number of arguments");
  std::size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  Run(lua)->scratch = Sha1Hex({text, text == nullptr ? 0 : size});
  lua_pushlstring(lua, Run(lua)->scratch.data(), Run(lua)->scratch.size());
  return 1;
}

bool IsOneString(lua_State* lua) { return lua_gettop(lua) == 1 && lua_type(lua, 1) == LUA_TSTRING; }

// A text without a code (one word, or none) gets ERR; a leading '-' is dropped.
int ErrorReply(lua_State* lua) {
  if (!IsOneString(lua)) {
    PushError(lua, "ERR wrong number or type of arguments");
    return 1;
  }
  std::size_t size = 0;
  const char* data = lua_tolstring(lua, 1, &size);
  std::string_view text(data, size);
  if (text.starts_with('-')) text.remove_prefix(1);
  while (text.starts_with('\n') || text.starts_with('\r')) text.remove_prefix(1);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string& err = Run(lua)->scratch;
  err = text.find(' ') == std::string_view::npos ? "ERR " : "";
  err.append(text);
  lua_createtable(lua, 0, 1);
  lua_pushliteral(lua, "err");
  lua_pushlstring(lua, err.data(), err.size());
  lua_rawset(lua, -3);
  return 1;
}

int StatusReply(lua_State* lua) {
  if (!IsOneString(lua)) {
    PushError(lua, "ERR wrong number or type of arguments");
    return 1;
  }
  lua_createtable(lua, 0, 1);
  lua_pushliteral(lua, "ok");
  lua_pushvalue(lua, 1);
  lua_rawset(lua, -3);
  return 1;
}

// Effects are always replicated, so these two have nothing to do.
int ReplicateCommands(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

int SetRepl(lua_State* lua) {
  if (lua_gettop(lua) != 1) {
    return RaiseError(lua, "ERR redis.set_repl() requires two arguments.");
  }
  const auto flags = static_cast<std::int64_t>(lua_tonumber(lua, 1));
  if ((flags & ~std::int64_t{3}) != 0) {
    return RaiseError(lua,
                      "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or "
                      "REPL_NONE.");
  }
  return 0;
}

// There is no debugger.
int Breakpoint(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}

int Debug(lua_State*) { return 0; }

struct Function {
  const char* name;
  lua_CFunction function;
  bool only_in_scripts = false;  ///< not in functions
};
constexpr Function kTableRows[] = {
    {"call", Call},
    {"pcall", PCall},
    {"log", Log},
    {"setresp", SetResp},
    {"sha1hex", Sha1HexOf},
    {"error_reply", ErrorReply},
    {"status_reply", StatusReply},
    {"replicate_commands", ReplicateCommands, true},
    {"set_repl", SetRepl},
    {"breakpoint", Breakpoint, true},
    {"debug", Debug, true},
    {"acl_check_cmd", AclCheckCommand},
};

struct Constant {
  const char* name;
  int value;
};
constexpr Constant kConstants[] = {
    {"LOG_DEBUG", 0},
    {"LOG_VERBOSE", 1},
    {"LOG_NOTICE", 2},
    {"LOG_WARNING", 3},
    {"REDIS_VERSION_NUM", 0x00070204},
};
constexpr Constant kReplicationConstants[] = {
    {"REPL_NONE", 0}, {"REPL_AOF", 1}, {"REPL_SLAVE", 2}, {"REPL_REPLICA", 2}, {"REPL_ALL", 3},
};

// Stack: the table.
void AddFunction(lua_State* lua, const char* name, lua_CFunction function) {
  lua_pushlightuserdata(lua, RunOf(lua));
  lua_pushcclosure(lua, function, 1);
  lua_setfield(lua, -2, name);
}

void AddConstants(lua_State* lua, std::span<const Constant> rows) {
  for (const Constant& row : rows) {
    lua_pushinteger(lua, row.value);
    lua_setfield(lua, -2, row.name);
  }
}

void AddVersion(lua_State* lua) {
  lua_pushliteral(lua, "7.2.4");
  lua_setfield(lua, -2, "REDIS_VERSION");
}

void PushRedisTable(lua_State* lua, SandboxFor use) {
  lua_newtable(lua);
  for (const Function& row : kTableRows) {
    if (use == SandboxFor::kFunctions && row.only_in_scripts) continue;
    AddFunction(lua, row.name, row.function);
  }
  AddConstants(lua, kConstants);
  AddConstants(lua, kReplicationConstants);
  AddVersion(lua);
}

}  // namespace

int RaiseError(lua_State* lua, const char* text) {
  PushError(lua, text);
  return lua_error(lua);
}

int OpenRedisLibrary(lua_State* lua) {
  PushRedisTable(lua, SandboxFor::kScripts);
  return 1;
}

int OpenRedisLibraryForFunctions(lua_State* lua) {
  PushRedisTable(lua, SandboxFor::kFunctions);
  return 1;
}

void PushLoadApi(lua_State* lua) {
  lua_newtable(lua);
  AddFunction(lua, "register_function", RegisterFunction);
  AddFunction(lua, "log", Log);
  AddConstants(lua, kConstants);
  AddVersion(lua);
}

}  // namespace cloakroom
