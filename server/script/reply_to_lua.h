#ifndef CLOAKROOM_SERVER_SCRIPT_REPLY_TO_LUA_H_
#define CLOAKROOM_SERVER_SCRIPT_REPLY_TO_LUA_H_

#include <string_view>

struct lua_State;

namespace cloakroom {

// Converts RESP replies to Lua values, as redis.call returns them. Private to this folder.

/// Pushes the Lua value of one complete RESP2 or RESP3 reply that our own server encoded. An error
/// reply becomes a table with `err`. May raise Lua errors (stack limit, memory).
void PushReply(lua_State* lua, std::string_view reply);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_REPLY_TO_LUA_H_
