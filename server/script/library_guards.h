#ifndef CLOAKROOM_SERVER_SCRIPT_LIBRARY_GUARDS_H_
#define CLOAKROOM_SERVER_SCRIPT_LIBRARY_GUARDS_H_

struct lua_State;

namespace cloakroom {

// Guards around the libraries that we link as the distribution built them: what would overflow an
// int there, and end the server, is a Lua error or is done by us. Private to this folder.

/// Replaces bit.tohex in the library on top of the stack.
void GuardBit(lua_State* lua);

/// Puts limits before encode and decode in the cjson library on top of the stack, and in those that
/// its `new` gives; and has the state's ScriptRun know when a script changes a setting.
void GuardCjson(lua_State* lua);

/// Gives the guarded cjson library on top of the stack the settings that it began with.
void ResetCjson(lua_State* lua);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_LIBRARY_GUARDS_H_
