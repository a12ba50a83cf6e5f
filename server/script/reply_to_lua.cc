#include "server/script/reply_to_lua.h"

#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "server/script/lua.h"

namespace cloakroom {
namespace {

// Reads the reply left to right. Trivially destructible: Lua's errors jump over it.
class Reader {
 public:
  Reader(lua_State* lua, std::string_view rest) : lua_(lua), rest_(rest) {}

  void PushValue();

 private:
  std::string_view Line();
  std::string_view Blob(std::int64_t size);
  static std::int64_t Integer(std::string_view digits);
  void PushText(const char* field, std::string_view text);
  void PushError(std::string_view text);
  void PushBulk(std::int64_t size);
  void PushVerbatim(std::int64_t size);
  void PushDouble(std::string_view text);
  void PushArray(std::int64_t size);
  void PushMap(std::int64_t size);
  void PushSet(std::int64_t size);
  void SkipAttribute(std::int64_t size);

  lua_State* lua_;
  std::string_view rest_;
};

std::string_view Reader::Line() {
  const std::size_t end = rest_.find("\r\n");
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
  return line;
}

std::string_view Reader::Blob(std::int64_t size) {
  const std::string_view blob = rest_.substr(0, size);
  rest_.remove_prefix(blob.size() + 2 <= rest_.size() ? blob.size() + 2 : rest_.size());
  return blob;
}

std::int64_t Reader::Integer(std::string_view digits) {
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

void Reader::PushText(const char* field, std::string_view text) {
  lua_createtable(lua_, 0, 1);
  lua_pushstring(lua_, field);
  lua_pushlstring(lua_, text.data(), text.size());
  lua_rawset(lua_, -3);
}

void Reader::PushError(std::string_view text) {
  PushText("err", text);
  lua_pushliteral(lua_, "ignore_error_stats_update");  // the command has been counted already
  lua_pushboolean(lua_, 1);
  lua_rawset(lua_, -3);
}

void Reader::PushBulk(std::int64_t size) {
  if (size < 0) {
    lua_pushboolean(lua_, 0);
    return;
  }
  const std::string_view blob = Blob(size);
  lua_pushlstring(lua_, blob.data(), blob.size());
}

void Reader::PushVerbatim(std::int64_t size) {
  const std::string_view blob = Blob(size);
  const std::string_view format = blob.substr(0, 3);
  const std::string_view text = blob.substr(blob.size() < 4 ? blob.size() : 4);
  lua_createtable(lua_, 0, 1);
  lua_pushliteral(lua_, "verbatim_string");
  lua_createtable(lua_, 0, 2);
  lua_pushliteral(lua_, "string");
  lua_pushlstring(lua_, text.data(), text.size());
  lua_rawset(lua_, -3);
  lua_pushliteral(lua_, "format");
  lua_pushlstring(lua_, format.data(), format.size());
  lua_rawset(lua_, -3);
  lua_rawset(lua_, -3);
}

void Reader::PushDouble(std::string_view text) {
  lua_createtable(lua_, 0, 1);
  lua_pushliteral(lua_, "double");
  // The line ends in \r\n within the reply's buffer, so strtod stops in time.
  lua_pushnumber(lua_, std::strtod(text.data(), nullptr));
  lua_rawset(lua_, -3);
}

void Reader::PushArray(std::int64_t size) {
  if (size < 0) {
    lua_pushboolean(lua_, 0);
    return;
  }
  lua_createtable(lua_, static_cast<int>(size), 0);
  for (std::int64_t i = 1; i <= size; ++i) {
    PushValue();
    lua_rawseti(lua_, -2, static_cast<int>(i));
  }
}

void Reader::PushMap(std::int64_t size) {
  lua_createtable(lua_, 0, 1);
  lua_pushliteral(lua_, "map");
  lua_createtable(lua_, 0, static_cast<int>(size));
  for (std::int64_t i = 0; i < size; ++i) {
    PushValue();
    PushValue();
    if (lua_isnil(lua_, -2)) {
      lua_pop(lua_, 2);  // a table cannot hold a nil key
    } else {
      lua_rawset(lua_, -3);
    }
  }
  lua_rawset(lua_, -3);
}

void Reader::PushSet(std::int64_t size) {
  lua_createtable(lua_, 0, 1);
  lua_pushliteral(lua_, "set");
  lua_createtable(lua_, 0, static_cast<int>(size));
  for (std::int64_t i = 0; i < size; ++i) {
    PushValue();
    if (lua_isnil(lua_, -1)) {
      lua_pop(lua_, 1);
      continue;
    }
    lua_pushboolean(lua_, 1);
    lua_rawset(lua_, -3);
  }
  lua_rawset(lua_, -3);
}

void Reader::SkipAttribute(std::int64_t size) {
  for (std::int64_t i = 0; i < 2 * size; ++i) {
    PushValue();
    lua_pop(lua_, 1);
  }
  PushValue();
}

void Reader::PushValue() {
  luaL_checkstack(lua_, 8, "reached lua stack limit");
  const std::string_view line = Line();
  const char type = line.empty() ? '_' : line[0];
  const std::string_view text = line.empty() ? line : line.substr(1);
  switch (type) {
    case '+':
      return PushText("ok", text);
    case '-':
      return PushError(text);
    case ':':
      return lua_pushnumber(lua_, static_cast<lua_Number>(Integer(text)));
    case '$':
      return PushBulk(Integer(text));
    case '*':
    case '>':
      return PushArray(Integer(text));
    case '%':
      return PushMap(Integer(text));
    case '~':
      return PushSet(Integer(text));
    case '|':
      return SkipAttribute(Integer(text));
    case '=':
      return PushVerbatim(Integer(text));
    case '!':
      return PushError(Blob(Integer(text)));
    case ',':
      return PushDouble(text);
    case '(':
      return PushText("big_number", text);
    case '#':
      return lua_pushboolean(lua_, text == "t");
    default:
      return lua_pushnil(lua_);
  }
}

}  // namespace

void PushReply(lua_State* lua, std::string_view reply) { Reader(lua, reply).PushValue(); }

}  // namespace cloakroom
