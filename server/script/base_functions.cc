// Base functions that know read-only views, and the loaders that refuse byte code.
#include <string_view>

#include "server/script/lua.h"
#include "server/script/read_only.h"
#include "server/script/sandbox.h"

namespace cloakroom {
namespace {

// next(table, key), seeing through read-only views.
int Next(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  if (PushViewed(lua, 1)) lua_replace(lua, 1);
  if (lua_next(lua, 1) != 0) return 2;
  lua_pushnil(lua);
  return 1;
}

int Pairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushvalue(lua, lua_upvalueindex(1));  // next
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

int RawGet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  lua_settop(lua, 2);
  if (PushViewed(lua, 1)) lua_replace(lua, 1);
  lua_rawget(lua, 1);
  return 1;
}

int RawSet(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checkany(lua, 2);
  luaL_checkany(lua, 3);
  lua_settop(lua, 3);
  if (IsReadOnly(lua, 1)) return RefuseWrite(lua);
  lua_rawset(lua, 1);
  return 1;
}

int GetMetatable(lua_State* lua) {
  luaL_checkany(lua, 1);
  if (IsReadOnly(lua, 1)) {
    PushShownMetatable(lua, 1);
    return 1;
  }
  if (lua_type(lua, 1) == LUA_TSTRING) {
    lua_pushvalue(lua, lua_upvalueindex(1));  // a read-only view of the strings' metatable
    return 1;
  }
  if (!lua_getmetatable(lua, 1)) {
    lua_pushnil(lua);
    return 1;
  }
  luaL_getmetafield(lua, 1, "__metatable");  // pushes nothing when absent: then the metatable
  return 1;
}

int SetMetatable(lua_State* lua) {
  const int type = lua_type(lua, 2);
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_argcheck(lua, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  if (IsReadOnly(lua, 1)) return RefuseWrite(lua);
  if (luaL_getmetafield(lua, 1, "__metatable")) {
    return luaL_error(lua, "cannot change a protected metatable");
  }
  lua_settop(lua, 2);
  lua_setmetatable(lua, 1);
  return 1;
}

// table.insert; Lua's own would write into the view.
int TableInsert(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const int size = static_cast<int>(lua_objlen(lua, 1));
  const int top = lua_gettop(lua);
  if (top != 2 && top != 3) return luaL_error(lua, "wrong number of arguments to 'insert'");
  const int position = top == 2 ? size + 1 : luaL_checkint(lua, 2);
  if (IsReadOnly(lua, 1)) return RefuseWrite(lua);
  for (int i = size; i >= position; --i) {
    lua_rawgeti(lua, 1, i);
    lua_rawseti(lua, 1, i + 1);
  }
  lua_rawseti(lua, 1, position);
  return 0;
}

// table.foreach: Lua's own, with the table behind a view.
int TableForEach(lua_State* lua) {
  if (PushViewed(lua, 1)) lua_replace(lua, 1);
  luaL_checktype(lua, 1, LUA_TTABLE);
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  for (lua_pushnil(lua); lua_next(lua, 1) != 0; lua_pop(lua, 2)) {
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, -3);
    lua_pushvalue(lua, -3);
    lua_call(lua, 2, 1);
    if (!lua_isnil(lua, -1)) return 1;
  }
  return 0;
}

// pcall. Error tables that carry `err` arrive as that text, as Redis gives them.
int ProtectedCall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const bool ok = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0) == 0;
  if (!ok && lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_gettable(lua, -2);
    if (lua_isstring(lua, -1))
      lua_replace(lua, -2);
    else
      lua_pop(lua, 1);
  }
  lua_pushboolean(lua, ok);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

// The loaders' failure: nil and a message.
int LoadFailed(lua_State* lua) {
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

int LoadString(lua_State* lua) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  const char* name = luaL_optstring(lua, 2, text);
  return LoadText(lua, {text, size}, name) == 0 ? 1 : LoadFailed(lua);
}

// Calls the reader function (argument 1) for the next piece; slot 3 keeps the piece alive.
const char* ReadPiece(lua_State* lua, void* first, std::size_t* size) {
  luaL_checkstack(lua, 2, "too many nested functions");
  lua_pushvalue(lua, 1);
  lua_call(lua, 0, 1);
  if (lua_isnil(lua, -1)) {
    lua_pop(lua, 1);
    *size = 0;
    return nullptr;
  }
  if (!lua_isstring(lua, -1)) luaL_error(lua, "reader function must return a string");
  lua_replace(lua, 3);
  const char* piece = lua_tolstring(lua, 3, size);
  bool* is_first = static_cast<bool*>(first);
  if (*is_first && *size > 0 && piece[0] == LUA_SIGNATURE[0]) luaL_error(lua, kByteCodeRefused);
  if (*size > 0) *is_first = false;
  return piece;
}

int Load(lua_State* lua) {
  const char* name = luaL_optstring(lua, 2, "=(load)");
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_settop(lua, 3);
  bool first = true;
  return lua_load(lua, ReadPiece, &first, name) == 0 ? 1 : LoadFailed(lua);
}

int ErrorHandler(lua_State* lua) {
  lua_settop(lua, 1);
  return HandleError(lua);
}

}  // namespace

int LoadText(lua_State* lua, std::string_view text, const char* name) {
  if (text.starts_with(LUA_SIGNATURE[0])) {
    lua_pushstring(lua, kByteCodeRefused);
    return LUA_ERRSYNTAX;
  }
  return luaL_loadbuffer(lua, text.data(), text.size(), name);
}

void AddBaseFunctions(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"next", Next},           {"rawget", RawGet},
      {"rawset", RawSet},       {"setmetatable", SetMetatable},
      {"pcall", ProtectedCall}, {"loadstring", LoadString},
      {"load", Load},           {"__redis__err__handler", ErrorHandler},
  };
  for (const luaL_Reg& row : kFunctions) {
    lua_pushcfunction(lua, row.func);
    lua_setfield(lua, -2, row.name);
  }
  lua_getfield(lua, -1, "next");
  lua_pushcclosure(lua, Pairs, 1);
  lua_setfield(lua, -2, "pairs");

  lua_getfield(lua, -1, "table");
  lua_pushcfunction(lua, TableInsert);
  lua_setfield(lua, -2, "insert");
  lua_pushcfunction(lua, TableForEach);
  lua_setfield(lua, -2, "foreach");
  lua_pop(lua, 1);
}

// Scripts may not change what "..." : method() finds; they get a view of the metatable.
void AddGetMetatable(lua_State* lua) {
  lua_newtable(lua);
  lua_getfield(lua, -2, "string");
  lua_setfield(lua, -2, "__index");
  MakeReadOnly(lua);
  lua_pushcclosure(lua, GetMetatable, 1);
  lua_setfield(lua, -2, "getmetatable");
}

}  // namespace cloakroom
