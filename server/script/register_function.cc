// redis.register_function, in its two forms: (name, callback) and {function_name = …, callback =
// …}.
#include <algorithm>
#include <string_view>

#include "protocol/text.h"
#include "server/script/library_contents.h"
#include "server/script/lua.h"
#include "server/script/sandbox.h"
#include "server/script/script_run.h"

namespace cloakroom {
namespace {

// The arguments end up in these places of the stack, whatever the form; nil: not given.
enum Place : int { kName = 1, kDescription, kCallback };

std::string_view TextAt(lua_State* lua, int index) {
  std::size_t size = 0;
  const char* text = lua_tolstring(lua, index, &size);
  return {text, size};
}

// Stack: …, the table of flags. Leaves it there.
int ReadFlags(lua_State* lua, ScriptFlags* flags) {
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, -1, i);
    if (lua_isnil(lua, -1)) break;
    const bool known =
        lua_isstring(lua, -1) != 0 && SetFlag(TextAt(lua, -1), /*ignore_case=*/true, flags);
    if (!known) return RaiseError(lua, "ERR unknown flag given");
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
  return 0;
}

// Stack: …, key, value. Stores the value in its place.
int TakeNamed(lua_State* lua, ScriptFlags* flags) {
  if (lua_isstring(lua, -2) == 0) {
    return RaiseError(lua,
                      "ERR named argument key given to redis.register_function is not a string");
  }
  // A number must not become a string here: the traversal of the table needs the key.
  const std::string_view key =
      lua_type(lua, -2) == LUA_TSTRING ? TextAt(lua, -2) : std::string_view();
  if (EqualsIgnoreCase(key, "function_name")) {
    if (lua_isstring(lua, -1) == 0) {
      return RaiseError(
          lua, "ERR function_name argument given to redis.register_function must be a string");
    }
    lua_pushvalue(lua, -1);
    lua_replace(lua, kName);
  } else if (EqualsIgnoreCase(key, "description")) {
    if (lua_isstring(lua, -1) == 0) {
      return RaiseError(
          lua, "ERR description argument given to redis.register_function must be a string");
    }
    lua_pushvalue(lua, -1);
    lua_replace(lua, kDescription);
  } else if (EqualsIgnoreCase(key, "callback")) {
    if (lua_isfunction(lua, -1) == 0) {
      return RaiseError(
          lua, "ERR callback argument given to redis.register_function must be a function");
    }
    lua_pushvalue(lua, -1);
    lua_replace(lua, kCallback);
  } else if (EqualsIgnoreCase(key, "flags")) {
    if (lua_istable(lua, -1) == 0) {
      return RaiseError(lua,
                        "ERR flags argument to redis.register_function must be a table "
                        "representing function flags");
    }
    return ReadFlags(lua, flags);
  } else {
    return RaiseError(lua, "ERR unknown argument given to redis.register_function");
  }
  return 0;
}

// Stack: the table.
int ReadNamed(lua_State* lua, ScriptFlags* flags) {
  constexpr int kTable = kCallback + 1;
  for (int i = 0; i < kCallback; ++i) {
    lua_pushnil(lua);
    lua_insert(lua, 1);
  }
  for (lua_pushnil(lua); lua_next(lua, kTable) != 0; lua_pop(lua, 1)) TakeNamed(lua, flags);
  if (lua_isnil(lua, kName)) {
    return RaiseError(lua, "ERR redis.register_function must get a function name argument");
  }
  if (lua_isnil(lua, kCallback)) {
    return RaiseError(lua, "ERR redis.register_function must get a callback argument");
  }
  return 0;
}

int ReadPositional(lua_State* lua) {
  if (lua_isstring(lua, 1) == 0) {
    return RaiseError(lua, "ERR first argument to redis.register_function must be a string");
  }
  if (lua_isfunction(lua, 2) == 0) {
    return RaiseError(lua, "ERR second argument to redis.register_function must be a function");
  }
  lua_pushnil(lua);
  lua_insert(lua, kDescription);
  return 0;
}

int ReadArguments(lua_State* lua, ScriptFlags* flags) {
  const int count = lua_gettop(lua);
  if (count < 1 || count > 2) {
    return RaiseError(lua, "ERR wrong number of arguments to redis.register_function");
  }
  if (count == 2) return ReadPositional(lua);
  if (lua_istable(lua, 1) == 0) {
    return RaiseError(lua,
                      "ERR calling redis.register_function with a single argument is only "
                      "applicable to Lua table (representing named arguments).");
  }
  return ReadNamed(lua, flags);
}

}  // namespace

int RegisterFunction(lua_State* lua) {
  auto* run = static_cast<ScriptRun*>(lua_touserdata(lua, lua_upvalueindex(1)));
  if (run->loading == nullptr) {
    return RaiseError(lua,
                      "ERR redis.register_function can only be called on FUNCTION LOAD command");
  }
  ScriptFlags flags;
  flags.declared = true;
  ReadArguments(lua, &flags);
  const std::string_view name = TextAt(lua, kName);
  if (!IsFunctionName(name)) return RaiseError(lua, kBadFunctionName);
  auto& functions = run->loading->functions;
  if (std::any_of(functions.begin(), functions.end(),
                  [&](const FunctionInfo& one) { return one.name == name; })) {
    return RaiseError(lua, "ERR Function already exists in the library");
  }
  // The last call that may raise an error: from here on there is something to destroy.
  lua_pushvalue(lua, kCallback);
  run->loading->references.push_back(luaL_ref(lua, LUA_REGISTRYINDEX));
  FunctionInfo& function = functions.emplace_back();
  function.name = name;
  function.flags = flags;
  if (!lua_isnil(lua, kDescription)) function.description = TextAt(lua, kDescription);
  return 0;
}

}  // namespace cloakroom
