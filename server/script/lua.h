#ifndef CLOAKROOM_SERVER_SCRIPT_LUA_H_
#define CLOAKROOM_SERVER_SCRIPT_LUA_H_

// Lua's C interface: Debian's lua.hpp, with functions for its macros.

#include <lua.hpp>

#endif  // CLOAKROOM_SERVER_SCRIPT_LUA_H_
