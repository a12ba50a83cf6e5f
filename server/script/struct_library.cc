// The `struct` library of scripts: packs values into bytes by a format string. The format is that
// of the struct library for Lua that Redis embeds:
//   > big endian, < little endian, ![n] alignment n (8), blanks are ignored, x a zero byte
//   b/B h/H i/In l/L T  integers of 1, 2, n (4), 8, 8 bytes, small letters signed
//   f d  float, double;  cn  n characters (1), c0 the whole string, or the size read before
//   s  a string with a zero after it
#include <bit>
#include <climits>
#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "server/script/lua.h"
#include "server/script/sandbox.h"

namespace cloakroom {
namespace {

constexpr int kMaxIntegerBytes = 32;
constexpr int kDefaultAlignment = 8;

// Trivially destructible: Lua's errors jump over it.
struct Format {
  lua_State* lua;
  const char* at;
  bool little = true;
  int alignment = 1;

  int ReadNumber(int otherwise);
  std::size_t SizeOf(char option);
  void Control(char option);
  // The padding that a value of `size` bytes needs after `total` bytes.
  std::size_t Padding(char option, std::size_t size, std::size_t total) const;
};

int Format::ReadNumber(int otherwise) {
  if (!absl::ascii_isdigit(*at)) return otherwise;
  int number = 0;
  for (; absl::ascii_isdigit(*at); ++at) {
    const int digit = *at - '0';
    if (number > (INT_MAX - digit) / 10) luaL_error(lua, "integral size overflow");
    number = number * 10 + digit;
  }
  return number;
}

std::size_t Format::SizeOf(char option) {
  switch (option) {
    case 'b':
    case 'B':
    case 'x':
      return 1;
    case 'h':
    case 'H':
      return 2;
    case 'f':
      return 4;
    case 'l':
    case 'L':
    case 'T':
    case 'd':
      return 8;
    case 'c':
      return ReadNumber(1);
    case 'i':
    case 'I': {
      const int size = ReadNumber(4);
      if (size > kMaxIntegerBytes) {
        luaL_error(lua, "integral size %d is larger than limit of %d", size, kMaxIntegerBytes);
      }
      return size;
    }
    default:
      return 0;  // 's', blanks and options that only change the state
  }
}

void Format::Control(char option) {
  switch (option) {
    case ' ':
      return;
    case '>':
      little = false;
      return;
    case '<':
      little = true;
      return;
    case '!': {
      const int size = ReadNumber(kDefaultAlignment);
      if (size <= 0 || (size & (size - 1)) != 0) {
        luaL_error(lua, "alignment %d is not a power of 2", size);
      }
      alignment = size;
      return;
    }
    default:
      luaL_argerror(lua, 1, lua_pushfstring(lua, "invalid format option '%c'", option));
  }
}

std::size_t Format::Padding(char option, std::size_t size, std::size_t total) const {
  if (size == 0 || option == 'c') return 0;
  if (size > static_cast<std::size_t>(alignment)) size = alignment;
  return size > 1 ? (size - (total & (size - 1))) & (size - 1) : 0;
}

void PackInteger(luaL_Buffer* out, lua_Number number, std::size_t size, bool little) {
  std::uint64_t value;
  if (number < 0) {
    value = number >= -0x1p63 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(number))
                              : std::uint64_t{1} << 63;
  } else {
    value = number < 0x1p64 ? static_cast<std::uint64_t>(number) : 0;
  }
  char bytes[kMaxIntegerBytes];
  for (std::size_t i = 0; i < size; ++i, value >>= 8) {
    bytes[little ? i : size - 1 - i] = static_cast<char>(value & 0xff);
  }
  luaL_addlstring(out, bytes, size);
}

lua_Number UnpackInteger(const char* bytes, std::size_t size, bool little, bool is_signed) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const char byte = bytes[little ? size - 1 - i : i];
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  if (!is_signed) return static_cast<lua_Number>(value);
  const std::size_t unused = size == 0 || size >= 8 ? 0 : 64 - 8 * size;
  return static_cast<lua_Number>(static_cast<std::int64_t>(value << unused) >> unused);
}

template <typename Real, typename Bits>
void PackReal(luaL_Buffer* out, lua_Number number, bool little) {
  Bits bits = std::bit_cast<Bits>(static_cast<Real>(number));
  char bytes[sizeof(Bits)];
  for (std::size_t i = 0; i < sizeof(Bits); ++i, bits >>= 8) {
    bytes[little ? i : sizeof(Bits) - 1 - i] = static_cast<char>(bits & 0xff);
  }
  luaL_addlstring(out, bytes, sizeof(Bits));
}

template <typename Real, typename Bits>
lua_Number UnpackReal(const char* bytes, bool little) {
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) {
    const char byte = bytes[little ? sizeof(Bits) - 1 - i : i];
    bits = bits << 8 | static_cast<unsigned char>(byte);
  }
  return std::bit_cast<Real>(bits);
}

// Packs argument `argument`; returns how many bytes it took. `size` is the format's.
std::size_t PackValue(const Format& format, char option, std::size_t size, int argument,
                      luaL_Buffer* out) {
  lua_State* lua = format.lua;
  switch (option) {
    case 'f':
      PackReal<float, std::uint32_t>(out, luaL_checknumber(lua, argument), format.little);
      return size;
    case 'd':
      PackReal<double, std::uint64_t>(out, luaL_checknumber(lua, argument), format.little);
      return size;
    case 'c':
    case 's': {
      std::size_t length = 0;
      const char* text = luaL_checklstring(lua, argument, &length);
      if (size == 0) size = length;
      luaL_argcheck(lua, length >= size, argument + (option == 'c'), "string too short");
      luaL_addlstring(out, text, size);
      if (option == 's') luaL_addchar(out, '\0');
      return size + (option == 's');
    }
    default:
      PackInteger(out, luaL_checknumber(lua, argument), size, format.little);
      return size;
  }
}

bool TakesValue(char option) { return std::strchr("bBhHlLTiIfdcs", option) != nullptr; }

int StructPack(lua_State* lua) {
  Format format{lua, luaL_checkstring(lua, 1)};
  luaL_Buffer out;
  int argument = 2;
  std::size_t total = 0;
  lua_pushnil(lua);  // keeps the arguments apart from what the buffer pushes
  luaL_buffinit(lua, &out);
  while (*format.at != '\0') {
    const char option = *format.at++;
    const std::size_t size = format.SizeOf(option);
    const std::size_t padding = format.Padding(option, size, total);
    for (std::size_t i = 0; i < padding; ++i) luaL_addchar(&out, '\0');
    total += padding;
    if (option == 'x') {
      luaL_addchar(&out, '\0');
      total += 1;
    } else if (TakesValue(option)) {
      total += PackValue(format, option, size, argument++, &out);
    } else {
      format.Control(option);
    }
  }
  luaL_pushresult(&out);
  return 1;
}

// Pushes one value read at data[position]; returns the bytes it took. `pushed` counts the values.
std::size_t UnpackValue(const Format& format, char option, std::size_t size, const char* data,
                        std::size_t left, int* pushed) {
  lua_State* lua = format.lua;
  switch (option) {
    case 'f':
      lua_pushnumber(lua, UnpackReal<float, std::uint32_t>(data, format.little));
      break;
    case 'd':
      lua_pushnumber(lua, UnpackReal<double, std::uint64_t>(data, format.little));
      break;
    case 'c':
      if (size == 0) {
        if (*pushed == 0 || !lua_isnumber(lua, -1)) {
          luaL_error(lua, "format 'c0' needs a previous size");
        }
        const lua_Number wanted = lua_tonumber(lua, -1);
        // A fraction is cut off, so that slightly below zero is zero.
        const bool fits = wanted > -1 && wanted < static_cast<lua_Number>(left) + 1;
        luaL_argcheck(lua, fits, 2, "data string too short");
        size = static_cast<std::size_t>(static_cast<std::int64_t>(wanted));
        lua_pop(lua, 1);
        --*pushed;
      }
      lua_pushlstring(lua, data, size);
      break;
    case 's': {
      const void* end = std::memchr(data, '\0', left);
      if (end == nullptr) luaL_error(lua, "unfinished string in data");
      size = static_cast<const char*>(end) - data;
      lua_pushlstring(lua, data, size);
      ++size;
      break;
    }
    default: {
      const bool is_signed = absl::ascii_islower(option);
      lua_pushnumber(lua, UnpackInteger(data, size, format.little, is_signed));
    }
  }
  ++*pushed;
  return size;
}

int StructUnpack(lua_State* lua) {
  Format format{lua, luaL_checkstring(lua, 1)};
  std::size_t length = 0;
  const char* data = luaL_checklstring(lua, 2, &length);
  const lua_Integer start = luaL_optinteger(lua, 3, 1);
  luaL_argcheck(lua, start != 0, 3, "offset must be 1 or greater");
  // A negative start lies beyond any string.
  std::size_t position = start > 0 ? static_cast<std::size_t>(start) - 1 : SIZE_MAX / 2;
  int pushed = 0;
  lua_settop(lua, 2);
  while (*format.at != '\0') {
    const char option = *format.at++;
    const std::size_t size = format.SizeOf(option);
    position += format.Padding(option, size, position);
    luaL_argcheck(lua, position <= length && size <= length - position, 2, "data string too short");
    luaL_checkstack(lua, 3, "too many results");
    if (option == 'x') {
      ++position;
    } else if (TakesValue(option)) {
      position += UnpackValue(format, option, size, data + position, length - position, &pushed);
    } else {
      format.Control(option);
    }
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(position) + 1);
  return pushed + 1;
}

int Size(lua_State* lua) {
  Format format{lua, luaL_checkstring(lua, 1)};
  std::size_t total = 0;
  while (*format.at != '\0') {
    const char option = *format.at++;
    const std::size_t size = format.SizeOf(option);
    total += format.Padding(option, size, total);
    if (option == 's') {
      luaL_argerror(lua, 1, "option 's' has no fixed size");
    } else if (option == 'c' && size == 0) {
      luaL_argerror(lua, 1, "option 'c0' has no fixed size");
    }
    // Unknown letters have size 0 here, as in Redis.
    if (option == '!' || option == '>' || option == '<') format.Control(option);
    total += size;
  }
  lua_pushnumber(lua, static_cast<lua_Number>(total));
  return 1;
}

}  // namespace

int OpenStructLibrary(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"pack", StructPack}, {"unpack", StructUnpack}, {"size", Size}};
  lua_newtable(lua);
  for (const luaL_Reg& row : kFunctions) {
    lua_pushcfunction(lua, row.func);
    lua_setfield(lua, -2, row.name);
  }
  return 1;
}

}  // namespace cloakroom
