// Lua's C interface. Debian's lua.hpp, with the functions that are macros there.
#pragma once

#include <lua.hpp>
