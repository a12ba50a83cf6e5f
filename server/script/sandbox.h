#ifndef CLOAKROOM_SERVER_SCRIPT_SANDBOX_H_
#define CLOAKROOM_SERVER_SCRIPT_SANDBOX_H_

#include <cstdint>

struct lua_State;

namespace cloakroom {

// The sandbox: which globals scripts see, and that they cannot change them. Private to this folder.
// Stock Lua 5.1 has no read-only tables. So scripts see a table that they must not change as an
// empty table whose metatable forwards reads and refuses writes, and the base functions that look
// past metatables (next, pairs, rawget, rawset, ...) are ours.

/// Functions see less of the globals than scripts do.
enum class SandboxFor : uint8_t { kScripts, kFunctions };

/// Opens the libraries into a fresh state and seals the globals. The registry must already hold the
/// state's ScriptRun. REQUIRES: called in protected mode.
void OpenSandbox(lua_State* lua, SandboxFor use);

/// Pushes the environment of all code of libraries. Its globals are those of the sandbox, except
/// while a library is loaded: then there is only `redis` with register_function and log. Only with
/// kFunctions.
void PushLibraryEnvironment(lua_State* lua);
/// Says which of the two it is.
void ShowLoadApi(lua_State* lua, bool loading);

/// Pops the value on top of the stack and sets a sealed global to it; the engine uses it for KEYS
/// and ARGV.
void SetSandboxGlobal(lua_State* lua, const char* name);

/// Undoes what the script has set in cjson. REQUIRES: called in protected mode.
int ResetLibraries(lua_State* lua);

/// Replaces the table on top of the stack with a read-only view of it.
void MakeReadOnly(lua_State* lua);

/// Replaces the error value on top of the stack with the form that Redis reports: a table with
/// `err`, and with the place in `source` and `line`. An error handler for lua_pcall.
int HandleError(lua_State* lua);

/// Our own libraries; each function pushes its table.
int OpenRedisLibrary(lua_State* lua);
int OpenRedisLibraryForFunctions(lua_State* lua);
int OpenStructLibrary(lua_State* lua);
int OpenMsgpackLibrary(lua_State* lua);

/// Pushes the table `redis` that a library sees while it is loaded.
void PushLoadApi(lua_State* lua);
/// redis.register_function: puts a function into ScriptRun::loading.
int RegisterFunction(lua_State* lua);

/// Raises an error table; `text` begins with an error code.
int RaiseError(lua_State* lua, const char* text);

/// Adds the base functions that replace Lua's own to the table on top of the stack.
void AddBaseFunctions(lua_State* lua);
/// As AddBaseFunctions, for math: random and randomseed.
void AddRandomFunctions(lua_State* lua);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SANDBOX_H_
