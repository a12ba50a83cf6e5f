#ifndef CLOAKROOM_SERVER_SCRIPT_LUA_TO_REPLY_H_
#define CLOAKROOM_SERVER_SCRIPT_LUA_TO_REPLY_H_

#include <string>
#include <string_view>

struct lua_State;

namespace cloakroom {

// Converts Lua values to RESP replies, as EVAL sends them. Private to this folder.

/// Pops the value on top of the stack and appends its reply, encoded for a client of RESP version
/// `client_resp`. `script_resp` is what the script chose by redis.setresp: with 3, booleans are
/// booleans. Raises no Lua error except out of memory.
void AppendReply(lua_State* lua, int client_resp, int script_resp, std::string* reply);

/// Appends `-text\r\n`. Line ends in the text become blanks; a zero byte ends the text.
void AppendError(std::string_view text, std::string* reply);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_LUA_TO_REPLY_H_
