#ifndef CLOAKROOM_SERVER_SCRIPT_READ_ONLY_H_
#define CLOAKROOM_SERVER_SCRIPT_READ_ONLY_H_

#include <string_view>

#include "server/script/lua.h"

namespace cloakroom {

// Read-only views of tables, and a loader that refuses byte code. Private to this folder.

/// Whether the value at `index` is a read-only view.
bool IsReadOnly(lua_State* lua, int index);

/// If the value at `index` is a view, pushes the table behind it and returns true.
bool PushViewed(lua_State* lua, int index);

/// Pushes what getmetatable shows of the view at `index`: nil, except for the globals.
void PushShownMetatable(lua_State* lua, int index);

/// Makes a read-only view of the table on top (as MakeReadOnly) that shows the metatable below it.
/// Stack: metatable, table -> view.
void MakeReadOnlyShowing(lua_State* lua);

/// Raises the error for an assignment to a view, where its script makes it. A __newindex.
int RefuseAssignment(lua_State* lua);

/// Raises the error for a write to a view, for rawset and its like.
int RefuseWrite(lua_State* lua);

/// luaL_loadbuffer for text only, and not for more than 512 MB.
int LoadText(lua_State* lua, std::string_view text, const char* name);

/// Adds getmetatable to the table of globals on top. REQUIRES: `string` is already a view there.
void AddGetMetatable(lua_State* lua);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_READ_ONLY_H_
