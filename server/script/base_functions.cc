// Base functions that handle read-only views, and loaders that refuse byte code.
#include <climits>
#include <cstdint>
#include <string_view>
#include <utility>

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
  luaL_getmetafield(lua, 1,
                    "__metatable");  // pushes nothing when absent: then returns the metatable
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

// table.insert. Lua's own would write into the view.
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

// Calls Lua's own table.foreach with the table behind a view.
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

// unpack(list [, first [, last]]). Lua's own counts the results in an int.
int BaseUnpack(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  const std::int64_t first = luaL_optint(lua, 2, 1);
  const std::int64_t last =
      lua_isnoneornil(lua, 3) ? static_cast<int>(lua_objlen(lua, 1)) : luaL_checkint(lua, 3);
  if (first > last) return 0;
  const std::int64_t count = last - first + 1;
  if (count >= INT_MAX || lua_checkstack(lua, static_cast<int>(count)) == 0) {
    return luaL_error(lua, "too many results to unpack");
  }
  for (std::int64_t i = first; i <= last; ++i) lua_rawgeti(lua, 1, static_cast<int>(i));
  return static_cast<int>(count);
}

// pcall. It returns the text of `err` for error tables that have it, as in Redis.
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

// A failed load returns nil and a message.
int LoadFailed(lua_State* lua) {
  lua_pushnil(lua);
  lua_insert(lua, -2);
  return 2;
}

// The lexer counts what it reads in ints.
constexpr std::size_t kMostSourceBytes = std::size_t{512} << 20;
constexpr char kSourceTooLong[] = "chunk is longer than 512 MB";

// Byte code begins with a character that no text begins with. With a blank before it the parser
// takes it for text, and refuses it with the same message and place as Redis.
std::string_view AsText(std::string_view source) {
  return source.starts_with(LUA_SIGNATURE[0]) ? " \x1b" : source;
}

// lua_load, with the name kept on the stack: nothing else refers to the string that the parser
// makes of it, and a collection may run before the parser is done.
int LoadNamed(lua_State* lua, lua_Reader reader, void* data, const char* name) {
  lua_pushstring(lua, name);
  const int status = lua_load(lua, reader, data, name);
  lua_remove(lua, -2);
  return status;
}

// Returns a whole std::string_view, and then nothing.
const char* ReadAll(lua_State*, void* data, std::size_t* size) {
  auto* rest = static_cast<std::string_view*>(data);
  const std::string_view all = std::exchange(*rest, {});
  *size = all.size();
  return all.empty() ? nullptr : all.data();
}

int LoadString(lua_State* lua) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(lua, 1, &size);
  const char* name = luaL_optstring(lua, 2, text);
  return LoadText(lua, {text, size}, name) == 0 ? 1 : LoadFailed(lua);
}

// Calls the reader function (argument 1) for the next piece; slot 3 keeps the piece alive.
const char* ReadPiece(lua_State* lua, void* data, std::size_t* size) {
  auto* read_bytes = static_cast<std::size_t*>(data);
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
  const char* bytes = lua_tolstring(lua, 3, size);
  std::string_view piece(bytes, *size);
  if (*read_bytes == 0) piece = AsText(piece);
  *read_bytes += piece.size();
  if (*read_bytes > kMostSourceBytes) luaL_error(lua, kSourceTooLong);
  *size = piece.size();
  return piece.data();
}

int Load(lua_State* lua) {
  const char* name = luaL_optstring(lua, 2, "=(load)");
  luaL_checktype(lua, 1, LUA_TFUNCTION);
  lua_settop(lua, 3);
  std::size_t read_bytes = 0;
  return LoadNamed(lua, ReadPiece, &read_bytes, name) == 0 ? 1 : LoadFailed(lua);
}

int ErrorHandler(lua_State* lua) {
  lua_settop(lua, 1);
  return HandleError(lua);
}

}  // namespace

int LoadText(lua_State* lua, std::string_view text, const char* name) {
  text = AsText(text);
  if (text.size() > kMostSourceBytes) {
    lua_pushstring(lua, kSourceTooLong);
    return LUA_ERRSYNTAX;
  }
  return LoadNamed(lua, ReadAll, &text, name);
}

void AddBaseFunctions(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"next", Next},
      {"rawget", RawGet},
      {"rawset", RawSet},
      {"setmetatable", SetMetatable},
      {"pcall", ProtectedCall},
      {"loadstring", LoadString},
      {"load", Load},
      {"unpack", BaseUnpack},
      {"__redis__err__handler", ErrorHandler},
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

// Scripts must not change what "..." : method() finds, so they get a view of the metatable.
void AddGetMetatable(lua_State* lua) {
  lua_newtable(lua);
  lua_getfield(lua, -2, "string");
  lua_setfield(lua, -2, "__index");
  MakeReadOnly(lua);
  lua_pushcclosure(lua, GetMetatable, 1);
  lua_setfield(lua, -2, "getmetatable");
}

}  // namespace cloakroom
