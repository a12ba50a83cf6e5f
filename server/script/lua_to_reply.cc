#include "server/script/lua_to_reply.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string_view>

#include "server/script/lua.h"

namespace cloakroom {
namespace {

void AppendLine(char type, std::string_view text, std::string* reply) {
  reply->push_back(type);
  const std::size_t start = reply->size();
  reply->append(text);
  for (std::size_t i = start; i < reply->size(); ++i) {
    if ((*reply)[i] == '\r' || (*reply)[i] == '\n') (*reply)[i] = ' ';
  }
  reply->append("\r\n");
}

// A header such as `$5\r\n`, or a whole integer.
void AppendHeader(char type, std::int64_t number, std::string* reply) {
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  reply->push_back(type);
  reply->append(digits, end - digits).append("\r\n");
}

void AppendBulk(std::string_view text, std::string* reply) {
  AppendHeader('$', text.size(), reply);
  reply->append(text).append("\r\n");
}

// Like the x86 conversion that Redis relies on: a number that does not fit becomes the smallest
// integer.
std::int64_t Truncate(double number) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (number >= -kLimit && number < kLimit) return static_cast<std::int64_t>(number);
  return std::numeric_limits<std::int64_t>::min();
}

class Writer {
 public:
  Writer(lua_State* lua, int client_resp, int script_resp, std::string* reply)
      : lua_(lua), resp3_(client_resp == 3), script_resp3_(script_resp == 3), reply_(*reply) {}

  void PopValue();

 private:
  // Reads field `name` of the table on top if it has the type; pops it again, since the table keeps
  // it alive.
  bool Field(const char* name, int type);
  bool AppendTagged();
  void AppendNull() { reply_.append(resp3_ ? "_\r\n" : "$-1\r\n"); }
  void AppendBoolean(bool value);
  void AppendDouble(double value);
  void AppendBigNumber();
  bool AppendVerbatim();
  void AppendMap();
  void AppendSet();
  void AppendArray();
  std::size_t CountPairs();

  lua_State* lua_;
  const bool resp3_;
  const bool script_resp3_;
  std::string& reply_;
};

bool Writer::Field(const char* name, int type) {
  lua_pushstring(lua_, name);
  lua_rawget(lua_, -2);
  if (lua_type(lua_, -1) == type) return true;
  lua_pop(lua_, 1);
  return false;
}

std::string_view Top(lua_State* lua) {
  std::size_t size = 0;
  const char* text = lua_tolstring(lua, -1, &size);
  return {text, size};
}

void Writer::AppendBoolean(bool value) {
  if (script_resp3_) {
    reply_.append(resp3_ ? (value ? "#t\r\n" : "#f\r\n") : (value ? ":1\r\n" : ":0\r\n"));
  } else if (value) {
    reply_.append(":1\r\n");
  } else {
    AppendNull();
  }
}

void Writer::AppendDouble(double value) {
  char digits[40];
  const int size = std::isnan(value) ? std::snprintf(digits, sizeof(digits), "nan")
                                     : std::snprintf(digits, sizeof(digits), "%.17g", value);
  const std::string_view text(digits, size);
  resp3_ ? AppendLine(',', text, &reply_) : AppendBulk(text, &reply_);
}

// Stack: the digits, unchecked; line ends become blanks in either version.
void Writer::AppendBigNumber() {
  if (!resp3_) AppendHeader('$', lua_objlen(lua_, -1), &reply_);
  AppendLine('(', Top(lua_), &reply_);
  // A bulk string has no type byte before its text.
  if (!resp3_) reply_.erase(reply_.size() - lua_objlen(lua_, -1) - 3, 1);
}

// Stack: the verbatim_string table. A reply needs both of its fields.
bool Writer::AppendVerbatim() {
  if (!Field("format", LUA_TSTRING)) return false;
  std::string_view format = Top(lua_);
  lua_pop(lua_, 1);
  if (!Field("string", LUA_TSTRING)) return false;
  const std::string_view text = Top(lua_);
  if (resp3_) {
    AppendHeader('=', text.size() + 4, &reply_);
    reply_.append(format.substr(0, 3));
    reply_.append(format.size() < 3 ? 3 - format.size() : 0, ' ');
    reply_.append(":").append(text).append("\r\n");
  } else {
    AppendBulk(text, &reply_);
  }
  lua_pop(lua_, 1);
  return true;
}

std::size_t Writer::CountPairs() {
  std::size_t count = 0;
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) ++count;
  return count;
}

// Stack: the map.
void Writer::AppendMap() {
  const std::size_t count = CountPairs();
  resp3_ ? AppendHeader('%', count, &reply_) : AppendHeader('*', 2 * count, &reply_);
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0;) {
    lua_pushvalue(lua_, -2);
    PopValue();
    PopValue();
  }
}

// Stack: the set, whose members are the keys.
void Writer::AppendSet() {
  AppendHeader(resp3_ ? '~' : '*', CountPairs(), &reply_);
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0;) {
    lua_pop(lua_, 1);
    lua_pushvalue(lua_, -1);
    PopValue();
  }
}

// Stack: a table. The first nil ends it.
void Writer::AppendArray() {
  int count = 0;
  while (true) {
    lua_rawgeti(lua_, -1, count + 1);
    const bool end = lua_isnil(lua_, -1);
    lua_pop(lua_, 1);
    if (end) break;
    ++count;
  }
  AppendHeader('*', count, &reply_);
  for (int i = 1; i <= count; ++i) {
    lua_rawgeti(lua_, -1, i);
    PopValue();
  }
}

// Appends the table on top if a special field says what it is. The order of the checks matters.
bool Writer::AppendTagged() {
  bool done = true;
  if (Field("err", LUA_TSTRING)) {
    AppendError(Top(lua_), &reply_);
  } else if (Field("ok", LUA_TSTRING)) {
    AppendLine('+', Top(lua_), &reply_);
  } else if (Field("double", LUA_TNUMBER)) {
    AppendDouble(lua_tonumber(lua_, -1));
  } else if (Field("map", LUA_TTABLE)) {
    AppendMap();
  } else if (Field("set", LUA_TTABLE)) {
    AppendSet();
  } else if (Field("big_number", LUA_TSTRING)) {
    AppendBigNumber();
  } else if (Field("verbatim_string", LUA_TTABLE)) {
    done = AppendVerbatim();
  } else {
    return false;
  }
  lua_pop(lua_, 1);
  return done;
}

void Writer::PopValue() {
  if (!lua_checkstack(lua_, 4)) {
    AppendError("ERR reached lua stack limit", &reply_);
    lua_pop(lua_, 1);
    return;
  }
  switch (lua_type(lua_, -1)) {
    case LUA_TSTRING:
      AppendBulk(Top(lua_), &reply_);
      break;
    case LUA_TBOOLEAN:
      AppendBoolean(lua_toboolean(lua_, -1) != 0);
      break;
    case LUA_TNUMBER:
      AppendHeader(':', Truncate(lua_tonumber(lua_, -1)), &reply_);
      break;
    case LUA_TTABLE:
      if (!AppendTagged()) AppendArray();
      break;
    default:
      AppendNull();
  }
  lua_pop(lua_, 1);
}

}  // namespace

void AppendError(std::string_view text, std::string* reply) {
  AppendLine('-', text.substr(0, text.find('\0')), reply);
}

void AppendReply(lua_State* lua, int client_resp, int script_resp, std::string* reply) {
  Writer(lua, client_resp, script_resp, reply).PopValue();
}

}  // namespace cloakroom
