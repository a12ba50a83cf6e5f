#include "server/script/read_only.h"

#include "server/script/sandbox.h"

namespace cloakroom {
namespace {

// Keys in a view's metatable that no script can name: their addresses.
char viewed_key;
char shown_key;

bool PushPrivate(lua_State* lua, int index, void* key) {
  if (lua_type(lua, index) != LUA_TTABLE || !lua_getmetatable(lua, index)) return false;
  lua_pushlightuserdata(lua, key);
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
  if (!lua_isnil(lua, -1)) return true;
  lua_pop(lua, 1);
  return false;
}

}  // namespace

bool IsReadOnly(lua_State* lua, int index) {
  if (!PushPrivate(lua, index, &viewed_key)) return false;
  lua_pop(lua, 1);
  return true;
}

bool PushViewed(lua_State* lua, int index) { return PushPrivate(lua, index, &viewed_key); }

void PushShownMetatable(lua_State* lua, int index) {
  if (!PushPrivate(lua, index, &shown_key)) lua_pushnil(lua);
}

int RefuseAssignment(lua_State* lua) {
  return luaL_error(lua, "Attempt to modify a readonly table");
}

int RefuseWrite(lua_State* lua) {
  lua_pushliteral(lua, "Attempt to modify a readonly table");
  return lua_error(lua);
}

void MakeReadOnly(lua_State* lua) {
  lua_newtable(lua);  // the view
  lua_newtable(lua);  // its metatable
  lua_pushlightuserdata(lua, &viewed_key);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, RefuseAssignment);
  lua_setfield(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

void MakeReadOnlyShowing(lua_State* lua) {
  MakeReadOnly(lua);
  lua_getmetatable(lua, -1);
  lua_pushlightuserdata(lua, &shown_key);
  lua_pushvalue(lua, -4);
  lua_rawset(lua, -3);
  lua_pop(lua, 1);
  lua_remove(lua, -2);
}

}  // namespace cloakroom
