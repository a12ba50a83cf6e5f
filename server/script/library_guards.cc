#include "server/script/library_guards.h"

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "server/script/lua.h"
#include "server/script/script_run.h"

namespace cloakroom {
namespace {

// The bits that BitOp makes of a number: adding 2^52 + 2^51 rounds it to an integer, whose lowest
// 32 bits are then the double's.
std::uint32_t BitsOf(lua_State* lua, int argument) {
  const double shifted = luaL_checknumber(lua, argument) + 0x1.8p52;
  return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted));
}

// bit.tohex(x [, digits]): upper case when digits is negative.
int ToHex(lua_State* lua) {
  constexpr std::int32_t kMostDigits = 8;
  std::uint32_t value = BitsOf(lua, 1);
  const auto asked = lua_isnone(lua, 2) ? kMostDigits : static_cast<std::int32_t>(BitsOf(lua, 2));
  const char* alphabet = asked < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  const std::int32_t digits = std::abs(std::clamp(asked, -kMostDigits, kMostDigits));
  char text[kMostDigits];
  for (int i = digits - 1; i >= 0; --i) {
    text[i] = alphabet[value & 15];
    value >>= 4;
  }
  lua_pushlstring(lua, text, static_cast<std::size_t>(digits));
  return 1;
}

// Whether cjson can encode a value. It counts its text in an int, and reserves six bytes for each
// byte of a string before it writes the string. Its buffer begins with 1023 bytes, and doubles.
class JsonSize {
 public:
  // `settings`: the place of encode_max_depth and encode_sparse_array on the stack.
  JsonSize(lua_State* lua, int settings) : lua_(lua), settings_(settings) {}

  // Leaves the stack as it is. Raises an error where tables are too deep.
  bool Fits(int value) {
    Value(value, 0);
    return bytes_ <= kMostBytes;
  }

 private:
  static constexpr double kMostBytes = 1023.0 * (1 << 21) - 64;
  static constexpr double kNumberBytes = 32;
  // Up to this depth, cjson's own limit is not asked for.
  static constexpr int kUsualDepth = 16;

  void Value(int index, int depth) {
    if (lua_type(lua_, index) == LUA_TSTRING) {
      bytes_ += 6.0 * static_cast<double>(lua_objlen(lua_, index)) + 4;
    } else {
      bytes_ += kNumberBytes;
      if (lua_istable(lua_, index)) Table(index, depth + 1);
    }
  }

  void Table(int index, int depth) {
    if (depth > max_depth_) max_depth_ = MaxDepth();
    if (depth > max_depth_ || lua_checkstack(lua_, 5) == 0) {
      // In cjson's own words.
      luaL_error(lua_, "Cannot serialise, excessive nesting (%d)", std::min(depth, max_depth_ + 1));
    }
    double count = 0;
    double last = 0;
    const int key = lua_gettop(lua_) + 1;
    for (lua_pushnil(lua_); lua_next(lua_, index) != 0; lua_pop(lua_, 1)) {
      if (lua_type(lua_, key) == LUA_TNUMBER) {
        bytes_ += kNumberBytes;
        last = std::max(last, lua_tonumber(lua_, key));
      } else {
        Value(key, depth);
      }
      count += 1;
      Value(key + 1, depth);
      if (bytes_ > kMostBytes) break;
    }
    lua_settop(lua_, key - 1);
    if (last > kFewHoles && last > 2 * count) Holes(count, last);
  }

  // An array with holes has a null for each, unless it has too many.
  void Holes(double count, double last) {
    lua_pushvalue(lua_, settings_ + 1);
    lua_call(lua_, 0, 3);
    const double ratio = lua_tonumber(lua_, -2);
    const double safe = lua_tonumber(lua_, -1);
    lua_pop(lua_, 3);
    if (ratio > 0 && last > count * ratio && last > safe) return;
    bytes_ += 5 * last;
  }

  int MaxDepth() {
    lua_pushvalue(lua_, settings_);
    lua_call(lua_, 0, 1);
    const int depth = static_cast<int>(lua_tointeger(lua_, -1));
    lua_pop(lua_, 1);
    return depth;
  }

  static constexpr double kFewHoles = 1'000'000;

  lua_State* lua_;
  const int settings_;
  double bytes_ = 0;
  int max_depth_ = kUsualDepth;
};

// The guards are closures with these upvalues. They run the guarded function within their own call:
// so it finds its settings where it expects them, and its errors name the script's line.
constexpr int kSettings = 1;  // as in cjson's own functions
constexpr int kGuarded = 2;
constexpr int kMaxDepth = 3;
constexpr int kSparseArray = 4;

int RunGuarded(lua_State* lua) { return lua_tocfunction(lua, lua_upvalueindex(kGuarded))(lua); }

int Encode(lua_State* lua) {
  if (lua_gettop(lua) == 1) {
    lua_pushvalue(lua, lua_upvalueindex(kMaxDepth));
    lua_pushvalue(lua, lua_upvalueindex(kSparseArray));
    if (!JsonSize(lua, 2).Fits(1)) return luaL_error(lua, "Cannot serialise, the text is too long");
    lua_settop(lua, 1);
  }
  return RunGuarded(lua);
}

int Decode(lua_State* lua) {
  if (lua_type(lua, 1) == LUA_TSTRING && lua_objlen(lua, 1) >= INT_MAX) {
    return luaL_error(lua, "Cannot parse, the text is too long");
  }
  return RunGuarded(lua);
}

int New(lua_State* lua) {
  const int results = RunGuarded(lua);
  GuardCjson(lua);
  return results;
}

int Configure(lua_State* lua) {
  if (lua_gettop(lua) > 0) RunOf(lua)->json_settings_changed = true;
  return RunGuarded(lua);
}

// Stack: the library, encode_max_depth, encode_sparse_array. Replaces a function of the library.
void Guard(lua_State* lua, const char* name, lua_CFunction guard) {
  lua_getfield(lua, -3, name);
  if (lua_getupvalue(lua, -1, kSettings) == nullptr) lua_pushnil(lua);
  lua_insert(lua, -2);
  lua_pushvalue(lua, -4);
  lua_pushvalue(lua, -4);
  lua_pushcclosure(lua, guard, kSparseArray);
  lua_setfield(lua, -4, name);
}

}  // namespace

void GuardBit(lua_State* lua) {
  lua_pushcfunction(lua, ToHex);
  lua_setfield(lua, -2, "tohex");
}

void GuardCjson(lua_State* lua) {
  static constexpr luaL_Reg kGuards[] = {{"encode", Encode},
                                         {"decode", Decode},
                                         {"new", New},
                                         {"encode_max_depth", Configure},
                                         {"encode_sparse_array", Configure},
                                         {"encode_number_precision", Configure},
                                         {"encode_keep_buffer", Configure},
                                         {"encode_invalid_numbers", Configure},
                                         {"decode_max_depth", Configure},
                                         {"decode_invalid_numbers", Configure}};
  lua_getfield(lua, -1, "encode_max_depth");
  lua_getfield(lua, -2, "encode_sparse_array");
  for (const luaL_Reg& row : kGuards) Guard(lua, row.name, row.func);
  lua_pop(lua, 2);
}

void ResetCjson(lua_State* lua) {
  lua_getfield(lua, -1, "new");
  lua_call(lua, 0, 1);
  for (lua_pushnil(lua); lua_next(lua, -2) != 0;) {
    lua_pushvalue(lua, -2);
    lua_insert(lua, -2);
    lua_rawset(lua, -5);
  }
  lua_pop(lua, 1);
}

}  // namespace cloakroom
