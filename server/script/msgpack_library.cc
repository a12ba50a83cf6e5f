// The `cmsgpack` library of scripts: MessagePack (https://github.com/msgpack/msgpack/blob/master/
// spec.md) with the choices of the library that Redis embeds: numbers without a fraction are
// integers, others floats when a float holds them exactly; a table is an array when its keys are
// 1..n; tables nested deeper than 16 become nil. Binary and extension types are not read.
#include <bit>
#include <climits>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/script/lua.h"
#include "server/script/sandbox.h"
#include "server/script/script_run.h"

namespace cloakroom {
namespace {

constexpr int kMaxNesting = 16;
constexpr std::size_t kKeptBytes = 64 * 1024;  // a larger buffer is freed after the call

// Raises no Lua error except for the stack, and owns nothing, because errors jump over it.
class Packer {
 public:
  Packer(lua_State* lua, std::string* out) : lua_(lua), out_(*out) {}

  void PopValue(int nesting);

 private:
  void Big(unsigned char type, std::uint64_t value, int bytes);
  void Number(lua_Number number);
  void Integer(std::int64_t value);
  void String(std::string_view text);
  void Size(std::size_t size, unsigned char small, unsigned char type16);
  void Table(int nesting);
  std::optional<std::size_t> ArraySize();

  lua_State* lua_;
  std::string& out_;
};

void Packer::Big(unsigned char type, std::uint64_t value, int bytes) {
  out_.push_back(static_cast<char>(type));
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out_.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

void Packer::Integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32 && value <= 127) {
    out_.push_back(static_cast<char>(value));
  } else if (value >= 0) {
    if (value <= 0xff) return Big(0xcc, bits, 1);
    if (value <= 0xffff) return Big(0xcd, bits, 2);
    if (value <= 0xffffffffLL) return Big(0xce, bits, 4);
    Big(0xcf, bits, 8);
  } else {
    if (value >= INT8_MIN) return Big(0xd0, bits, 1);
    if (value >= INT16_MIN) return Big(0xd1, bits, 2);
    if (value >= INT32_MIN) return Big(0xd2, bits, 4);
    Big(0xd3, bits, 8);
  }
}

void Packer::Number(lua_Number number) {
  if (number >= -0x1p63 && number < 0x1p63 && std::trunc(number) == number) {
    return Integer(static_cast<std::int64_t>(number));
  }
  const auto single = static_cast<float>(number);
  if (static_cast<lua_Number>(single) == number) {
    return Big(0xca, std::bit_cast<std::uint32_t>(single), 4);
  }
  Big(0xcb, std::bit_cast<std::uint64_t>(number), 8);
}

void Packer::String(std::string_view text) {
  if (text.size() < 32) {
    out_.push_back(static_cast<char>(0xa0 | text.size()));
  } else if (text.size() <= 0xff) {
    Big(0xd9, text.size(), 1);
  } else {
    text.size() <= 0xffff ? Big(0xda, text.size(), 2) : Big(0xdb, text.size(), 4);
  }
  out_.append(text);
}

// Writes the head of an array or map; type16 + 1 is the type with a 32-bit size.
void Packer::Size(std::size_t size, unsigned char small, unsigned char type16) {
  if (size < 16) {
    out_.push_back(static_cast<char>(small | size));
  } else if (size <= 0xffff) {
    Big(type16, size, 2);
  } else {
    Big(type16 + 1, size, 4);
  }
}

// The number of elements if the keys are exactly 1..n.
std::optional<std::size_t> Packer::ArraySize() {
  std::size_t count = 0;
  lua_Number greatest = 0;
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) {
    const lua_Number key = lua_type(lua_, -2) == LUA_TNUMBER ? lua_tonumber(lua_, -2) : 0;
    if (!(key > 0 && key <= INT_MAX && std::trunc(key) == key)) {
      lua_pop(lua_, 2);
      return std::nullopt;
    }
    ++count;
    if (key > greatest) greatest = key;
  }
  if (static_cast<lua_Number>(count) != greatest) return std::nullopt;
  return count;
}

void Packer::Table(int nesting) {
  luaL_checkstack(lua_, 4, "in cmsgpack.pack");
  if (const std::optional<std::size_t> size = ArraySize()) {
    Size(*size, 0x90, 0xdc);
    for (std::size_t i = 1; i <= *size; ++i) {
      lua_rawgeti(lua_, -1, static_cast<int>(i));
      PopValue(nesting + 1);
    }
    return;
  }
  std::size_t pairs = 0;
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) ++pairs;
  Size(pairs, 0x80, 0xde);
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0;) {
    lua_pushvalue(lua_, -2);
    PopValue(nesting + 1);
    PopValue(nesting + 1);
  }
}

void Packer::PopValue(int nesting) {
  switch (lua_type(lua_, -1)) {
    case LUA_TSTRING: {
      std::size_t size = 0;
      const char* text = lua_tolstring(lua_, -1, &size);
      String({text, size});
      break;
    }
    case LUA_TNUMBER:
      Number(lua_tonumber(lua_, -1));
      break;
    case LUA_TBOOLEAN:
      out_.push_back(static_cast<char>(lua_toboolean(lua_, -1) ? 0xc3 : 0xc2));
      break;
    case LUA_TTABLE:
      if (nesting < kMaxNesting) {
        Table(nesting);
        break;
      }
      [[fallthrough]];
    default:
      out_.push_back(static_cast<char>(0xc0));
  }
  lua_pop(lua_, 1);
}

int MsgpackPack(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  std::string& out = RunOf(lua)->scratch;
  out.clear();
  for (int i = 1; i <= count; ++i) {
    luaL_checkstack(lua, 1, "in cmsgpack.pack");
    lua_pushvalue(lua, i);
    Packer(lua, &out).PopValue(0);
  }
  lua_pushlstring(lua, out.data(), out.size());
  if (out.capacity() > kKeptBytes) std::string().swap(out);
  return 1;
}

class Unpacker {
 public:
  Unpacker(lua_State* lua, std::string_view rest) : lua_(lua), rest_(rest) {}

  bool done() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void PushValue();

 private:
  std::uint64_t Big(int bytes);
  void Need(std::size_t bytes);
  void PushSigned(int bytes);
  void PushString(std::size_t size);
  void PushArray(std::size_t size);
  void PushMap(std::size_t size);
  void PushTyped(unsigned char type);

  lua_State* lua_;
  std::string_view rest_;
};

void Unpacker::Need(std::size_t bytes) {
  if (rest_.size() < bytes) luaL_error(lua_, "Missing bytes in input.");
}

std::uint64_t Unpacker::Big(int bytes) {
  Need(bytes);
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(bytes);
  return value;
}

void Unpacker::PushSigned(int bytes) {
  const int unused = 64 - 8 * bytes;
  lua_pushnumber(
      lua_, static_cast<lua_Number>(static_cast<std::int64_t>(Big(bytes) << unused) >> unused));
}

void Unpacker::PushString(std::size_t size) {
  Need(size);
  lua_pushlstring(lua_, rest_.data(), size);
  rest_.remove_prefix(size);
}

void Unpacker::PushArray(std::size_t size) {
  lua_newtable(lua_);  // grown as bytes arrive: the size may lie
  luaL_checkstack(lua_, 2, "in function mp_decode_to_lua_array");
  for (std::size_t i = 1; i <= size; ++i) {
    lua_pushnumber(lua_, static_cast<lua_Number>(i));
    PushValue();
    lua_rawset(lua_, -3);
  }
}

void Unpacker::PushMap(std::size_t size) {
  lua_newtable(lua_);
  luaL_checkstack(lua_, 3, "in function mp_decode_to_lua_hash");
  for (std::size_t i = 0; i < size; ++i) {
    PushValue();
    PushValue();
    lua_settable(lua_, -3);  // raises "table index is nil"
  }
}

void Unpacker::PushTyped(unsigned char type) {
  switch (type) {
    case 0xc0:
      return lua_pushnil(lua_);
    case 0xc2:
      return lua_pushboolean(lua_, 0);
    case 0xc3:
      return lua_pushboolean(lua_, 1);
    case 0xca:
      return lua_pushnumber(lua_, std::bit_cast<float>(static_cast<std::uint32_t>(Big(4))));
    case 0xcb:
      return lua_pushnumber(lua_, std::bit_cast<double>(Big(8)));
    case 0xcc:
      return lua_pushnumber(lua_, static_cast<lua_Number>(Big(1)));
    case 0xcd:
      return lua_pushnumber(lua_, static_cast<lua_Number>(Big(2)));
    case 0xce:
      return lua_pushnumber(lua_, static_cast<lua_Number>(Big(4)));
    case 0xcf:
      return PushSigned(8);  // Redis reads it as signed
    case 0xd0:
      return PushSigned(1);
    case 0xd1:
      return PushSigned(2);
    case 0xd2:
      return PushSigned(4);
    case 0xd3:
      return PushSigned(8);
    case 0xd9:
      return PushString(Big(1));
    case 0xda:
      return PushString(Big(2));
    case 0xdb:
      return PushString(Big(4));
    case 0xdc:
      return PushArray(Big(2));
    case 0xdd:
      return PushArray(Big(4));
    case 0xde:
      return PushMap(Big(2));
    case 0xdf:
      return PushMap(Big(4));
    default:
      luaL_error(lua_, "Bad data format in input.");
  }
}

void Unpacker::PushValue() {
  luaL_checkstack(lua_, 1,
                  "too many return values at once; use unpack_one or unpack_limit "
                  "instead.");
  const auto type = static_cast<unsigned char>(Big(1));
  if (type < 0x80 || type >= 0xe0) {
    lua_pushinteger(lua_, static_cast<signed char>(type));
  } else if (type < 0x90) {
    PushMap(type & 0x0f);
  } else if (type < 0xa0) {
    PushArray(type & 0x0f);
  } else if (type < 0xc0) {
    PushString(type & 0x1f);
  } else {
    PushTyped(type);
  }
}

// limit 0: all values. With an offset or a limit, the first result is the next offset, or -1.
int UnpackFull(lua_State* lua, int limit, int offset) {
  std::size_t size = 0;
  const char* data = luaL_checklstring(lua, 1, &size);
  const int length = static_cast<int>(size);
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.", offset,
                      length);
  }
  if (offset > length) {
    return luaL_error(lua, "Start offset %d greater than input length %d.", offset, length);
  }
  const bool all = limit == 0 && offset == 0;
  if (limit == 0) limit = INT_MAX;
  lua_settop(lua, 1);
  if (!all) lua_pushnil(lua);  // the place of the first result
  Unpacker unpacker(lua, std::string_view(data, size).substr(offset));
  int count = 0;
  for (; count < limit && !unpacker.done(); ++count) unpacker.PushValue();
  if (all) return count;
  lua_pushinteger(lua, unpacker.done() ? -1 : length - static_cast<int>(unpacker.left()));
  lua_replace(lua, 2);
  return count + 1;
}

int MsgpackUnpack(lua_State* lua) { return UnpackFull(lua, 0, 0); }
int UnpackOne(lua_State* lua) { return UnpackFull(lua, 1, luaL_optint(lua, 2, 0)); }
int UnpackLimit(lua_State* lua) {
  const int limit = luaL_checkint(lua, 2);
  return UnpackFull(lua, limit, luaL_optint(lua, 3, 0));
}

}  // namespace

int OpenMsgpackLibrary(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {{"pack", MsgpackPack},
                                            {"unpack", MsgpackUnpack},
                                            {"unpack_one", UnpackOne},
                                            {"unpack_limit", UnpackLimit}};
  static constexpr const char* kTexts[][2] = {
      {"_NAME", "cmsgpack"},
      {"_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"},
      {"_DESCRIPTION", "MessagePack C implementation for Lua"},
      {"_VERSION", "lua-cmsgpack 0.4.0"}};
  lua_newtable(lua);
  for (const luaL_Reg& row : kFunctions) {
    lua_pushcfunction(lua, row.func);
    lua_setfield(lua, -2, row.name);
  }
  for (const auto& [name, text] : kTexts) {
    lua_pushstring(lua, text);
    lua_setfield(lua, -2, name);
  }
  return 1;
}

}  // namespace cloakroom
