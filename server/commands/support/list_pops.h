#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_LIST_POPS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_LIST_POPS_H_

#include <cstddef>
#include <cstdint>

#include "server/commands/support/list_ends.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"

namespace cloakroom {

// What the commands that pop and move elements have in common with those that wait for them.

enum class Tried : uint8_t {
  kReplied,       ///< done, or an error: the reply is written
  kNothingThere,  ///< nothing to take, and no reply
};

/// LMOVE: takes an element from the list of the first key and puts it into that of the second.
Tried TryMove(Call& call, ListEnd from_end, ListEnd to_end);

/// The arguments of LMPOP from numkeys on.
struct MultiPop {
  size_t first_key = 0;  ///< an argument's place
  size_t keys = 0;
  ListEnd end = ListEnd::kFront;
  size_t most = 1;  ///< elements
};
MultiPop TakeMultiPop(Arguments& args);

/// LMPOP: pops from the first of the keys that is there.
Tried TryMultiPop(Call& call, const MultiPop& pop);

/// LMPOP's reply from a list, without popping.
void ReplyPopped(ReplyWriter& reply, std::string_view key, const List& list, ListEnd end,
                 size_t count);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_LIST_POPS_H_
