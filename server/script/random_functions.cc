// math.random and math.randomseed with the same numbers as Redis.
#include <cmath>
#include <limits>

#include "server/script/lua.h"
#include "server/script/sandbox.h"
#include "server/script/script_run.h"

namespace cloakroom {
namespace {

int Random(lua_State* lua) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  const lua_Number fraction = static_cast<lua_Number>(RunOf(lua)->random.Next() % kMax) / kMax;
  switch (lua_gettop(lua)) {
    case 0:
      lua_pushnumber(lua, fraction);
      return 1;
    case 1: {
      const int high = luaL_checkint(lua, 1);
      luaL_argcheck(lua, 1 <= high, 1, "interval is empty");
      lua_pushnumber(lua, std::floor(fraction * high) + 1);
      return 1;
    }
    case 2: {
      const int low = luaL_checkint(lua, 1);
      const int high = luaL_checkint(lua, 2);
      luaL_argcheck(lua, low <= high, 2, "interval is empty");
      lua_pushnumber(lua, std::floor(fraction * (static_cast<lua_Number>(high) - low + 1)) + low);
      return 1;
    }
    default:
      return luaL_error(lua, "wrong number of arguments");
  }
}

int RandomSeed(lua_State* lua) {
  RunOf(lua)->random.Seed(luaL_checkint(lua, 1));
  return 0;
}

}  // namespace

void AddRandomFunctions(lua_State* lua) {
  lua_pushcfunction(lua, Random);
  lua_setfield(lua, -2, "random");
  lua_pushcfunction(lua, RandomSeed);
  lua_setfield(lua, -2, "randomseed");
}

}  // namespace cloakroom
