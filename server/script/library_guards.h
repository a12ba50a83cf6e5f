#ifndef CLOAKROOM_SERVER_SCRIPT_LIBRARY_GUARDS_H_
#define CLOAKROOM_SERVER_SCRIPT_LIBRARY_GUARDS_H_

struct lua_State;

namespace cloakroom {

// Guards around the libraries that we link as the distribution built them: where they would
// overflow an int and end the server, a guard raises a Lua error or does the work itself. Private
// to this folder.

/// Replaces bit.tohex in the library on top of the stack.
void GuardBit(lua_State* lua);

/// Adds limits to encode and decode in the cjson library on top of the stack, and in those that its
/// `new` returns; tells the state's ScriptRun when a script changes a setting.
void GuardCjson(lua_State* lua);

/// Resets the settings of the guarded cjson library on top of the stack.
void ResetCjson(lua_State* lua);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_LIBRARY_GUARDS_H_
