#include "server/script/sandbox.h"

#include <cmath>
#include <cstring>

#include "server/script/library_guards.h"
#include "server/script/lua.h"
#include "server/script/read_only.h"
#include "server/script/script_run.h"

extern "C" {
#include <lua5.1/lua-bitop.h>
#include <lua5.1/lua-cjson.h>
}

namespace cloakroom {
namespace {

char run_key;                  // registry: the ScriptRun
char globals_key;              // registry: the table behind the globals' view
char library_environment_key;  // registry: see PushLibraryEnvironment
char load_globals_key;         // registry: what a library sees while it is loaded

// Globals of Lua's base library that scripts do not get.
constexpr const char* kRemoved[] = {"print",  "dofile",  "loadfile", "require",
                                    "module", "getfenv", "setfenv",  "newproxy",
                                    "os",     "io",      "debug",    "package"};
constexpr const char* kLibraries[] = {"string", "table",  "math",     "coroutine", "redis",
                                      "cjson",  "struct", "cmsgpack", "bit"};

void OpenInto(lua_State* lua, lua_CFunction open, const char* name, const char* global) {
  lua_pushcfunction(lua, open);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 1);
  if (global != nullptr) {
    lua_setglobal(lua, global);
  } else {
    lua_pop(lua, 1);
  }
}

int RefuseUnknownGlobal(lua_State* lua) {
  const char* name = luaL_optstring(lua, 2, "?");
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'", name);
}

// Stack: the globals. Seals the libraries, then the strings' metatable view, then the globals.
void Seal(lua_State* lua) {
  for (const char* library : kLibraries) {
    lua_getfield(lua, -1, library);
    MakeReadOnly(lua);
    lua_setfield(lua, -2, library);
  }
  AddGetMetatable(lua);

  // The metatable of the globals; scripts see a read-only view of it.
  lua_newtable(lua);
  lua_pushcfunction(lua, RefuseUnknownGlobal);
  lua_setfield(lua, -2, "__index");
  lua_pushvalue(lua, -1);
  lua_setmetatable(lua, -3);
  MakeReadOnly(lua);

  lua_pushvalue(lua, -2);
  MakeReadOnlyShowing(lua);  // globals, view
  lua_pushvalue(lua, -1);
  lua_setfield(lua, -3, "_G");
  lua_replace(lua, LUA_GLOBALSINDEX);
}

// Gives the table on top a metatable that refuses unknown names.
void RefuseUnknown(lua_State* lua) {
  lua_newtable(lua);
  lua_pushcfunction(lua, RefuseUnknownGlobal);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

// Pops the value on top of the stack.
void SetRegistry(lua_State* lua, char* key) {
  lua_pushlightuserdata(lua, key);
  lua_insert(lua, -2);
  lua_rawset(lua, LUA_REGISTRYINDEX);
}

void PushRegistry(lua_State* lua, char* key) {
  lua_pushlightuserdata(lua, key);
  lua_rawget(lua, LUA_REGISTRYINDEX);
}

// Code keeps the environment that it was compiled in, so libraries get one that can be switched: an
// empty table, whose metatable forwards to the one or the other.
void OpenLibraryEnvironment(lua_State* lua) {
  lua_newtable(lua);  // what a library sees while it is loaded
  PushLoadApi(lua);
  RefuseUnknown(lua);
  MakeReadOnly(lua);
  lua_setfield(lua, -2, "redis");
  RefuseUnknown(lua);
  SetRegistry(lua, &load_globals_key);

  lua_newtable(lua);
  lua_newtable(lua);
  lua_pushcfunction(lua, RefuseAssignment);
  lua_setfield(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
  SetRegistry(lua, &library_environment_key);
  ShowLoadApi(lua, false);
}

}  // namespace

void PushLibraryEnvironment(lua_State* lua) { PushRegistry(lua, &library_environment_key); }

void ShowLoadApi(lua_State* lua, bool loading) {
  PushLibraryEnvironment(lua);
  lua_getmetatable(lua, -1);
  if (loading) {
    PushRegistry(lua, &load_globals_key);
  } else {
    lua_pushvalue(lua, LUA_GLOBALSINDEX);
  }
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 2);
}

void OpenSandbox(lua_State* lua, SandboxFor use) {
  OpenInto(lua, luaopen_base, "", nullptr);  // brings coroutine as well
  OpenInto(lua, luaopen_string, LUA_STRLIBNAME, nullptr);
  OpenInto(lua, luaopen_table, LUA_TABLIBNAME, nullptr);
  OpenInto(lua, luaopen_math, LUA_MATHLIBNAME, nullptr);
  // luaL_register, which bit uses, files its library under the package table's name.
  OpenInto(lua, luaopen_bit, "bit", "bit");
  OpenInto(lua, luaopen_cjson, "cjson", "cjson");
  const bool functions = use == SandboxFor::kFunctions;
  OpenInto(lua, functions ? OpenRedisLibraryForFunctions : OpenRedisLibrary, "redis", "redis");
  OpenInto(lua, OpenStructLibrary, "struct", "struct");
  OpenInto(lua, OpenMsgpackLibrary, "cmsgpack", "cmsgpack");

  lua_pushvalue(lua, LUA_GLOBALSINDEX);
  for (const char* name : kRemoved) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
  AddBaseFunctions(lua);
  if (functions) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, "__redis__err__handler");
  }
  lua_getfield(lua, -1, "math");
  AddRandomFunctions(lua);
  lua_getfield(lua, -2, "bit");
  GuardBit(lua);
  lua_getfield(lua, -3, "cjson");
  GuardCjson(lua);
  lua_pop(lua, 3);

  lua_pushlightuserdata(lua, &globals_key);
  lua_pushvalue(lua, -2);
  lua_rawset(lua, LUA_REGISTRYINDEX);
  Seal(lua);
  lua_pop(lua, 1);
  if (functions) OpenLibraryEnvironment(lua);
}

void SetSandboxGlobal(lua_State* lua, const char* name) {
  lua_pushlightuserdata(lua, &globals_key);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  lua_pushstring(lua, name);
  lua_pushvalue(lua, -3);
  lua_rawset(lua, -3);
  lua_pop(lua, 2);
}

int ResetLibraries(lua_State* lua) {
  lua_getglobal(lua, "cjson");
  PushViewed(lua, -1);
  ResetCjson(lua);
  return 0;
}

int HandleError(lua_State* lua) {
  if (!lua_istable(lua, -1)) {
    const char* text = lua_tostring(lua, -1);
    if (text == nullptr) {
      text = lua_isboolean(lua, -1) ? (lua_toboolean(lua, -1) ? "true" : "false") : "nil";
    }
    lua_newtable(lua);
    lua_pushfstring(lua, "ERR %s", text);
    lua_setfield(lua, -2, "err");
    lua_remove(lua, -2);
  }
  // Finds the innermost Lua function: level 0 is this handler, and C functions have no lines.
  lua_Debug where;
  for (int level = 0; lua_getstack(lua, level, &where) != 0; ++level) {
    lua_getinfo(lua, "Sl", &where);
    if (where.currentline < 0) continue;
    lua_pushliteral(lua, "source");
    lua_pushstring(lua, where.source);
    lua_rawset(lua, -3);
    lua_pushliteral(lua, "line");
    lua_pushinteger(lua, where.currentline);
    lua_rawset(lua, -3);
    break;
  }
  return 1;
}

ScriptRun* RunOf(lua_State* lua) {
  lua_pushlightuserdata(lua, &run_key);
  lua_rawget(lua, LUA_REGISTRYINDEX);
  auto* run = static_cast<ScriptRun*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  return run;
}

void SetRun(lua_State* lua, ScriptRun* run) {
  lua_pushlightuserdata(lua, &run_key);
  lua_pushlightuserdata(lua, run);
  lua_rawset(lua, LUA_REGISTRYINDEX);
}

}  // namespace cloakroom
