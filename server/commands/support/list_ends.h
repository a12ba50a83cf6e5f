#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_LIST_ENDS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_LIST_ENDS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/reply_writer.h"
#include "server/execution/arguments.h"
#include "storage/access/write_scope.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"
#include "storage/values/list.h"

namespace cloakroom {

// What commands do at the ends of lists, and what requests do that waited for one: those have no
// Call. Thread rule: the hold's thread.

/// Takes LEFT or RIGHT, in any case; anything else is the syntax error.
ListEnd TakeListEnd(Arguments& args);

/// The names of what happens at an end: "lpush", "rpop".
KeyEvent PushEventOf(ListEnd end);
KeyEvent PopEventOf(ListEnd end);

/// Replies `count` elements, from this end on, one after the other. REQUIRES: there are as many.
void ReplyFromEnd(ReplyWriter& reply, const List& list, ListEnd end, size_t count);

/// A key under a hold.
struct HeldKey {
  Hold& hold;
  Database& db;
  std::string_view key;
  KeyHash hash;
  int64_t now_ms;
  absl::InsecureBitGen* access = nullptr;  ///< as of WriteScope

  WriteScope Open() const { return WriteScope(hold, db, key, hash, now_ms, access); }
};

/// Moves an element from an end of one list to an end of another, or of the same one, and replies
/// it. Opens one scope at a time, since two in the same stripe would invalidate each other.
/// REQUIRES: `from` is a list; `to` is one or absent.
void MoveElement(const HeldKey& from, ListEnd from_end, const HeldKey& to, ListEnd to_end,
                 ReplyWriter& reply);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_LIST_ENDS_H_
