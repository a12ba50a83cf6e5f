#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_ADD_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_ADD_H_

#include <span>

#include "server/execution/call.h"
#include "storage/values/scored_item.h"

namespace cloakroom {

/// The options of ZADD; GEOADD has some of them.
struct ZsetAddOptions {
  bool nx = false;    ///< only new members
  bool xx = false;    ///< only present ones
  bool gt = false;    ///< a present one only gets a greater score
  bool lt = false;    ///< or a lower one
  bool ch = false;    ///< reply how many have changed, not how many are new
  bool incr = false;  ///< the score is added to the present one, and the sum replied
};

/// Adds members to the sorted set of argument 1, or gives them other scores, and replies.
/// REQUIRES: with `incr`, one item.
void AddToZset(Call& call, std::span<const ScoredItem> items, const ZsetAddOptions& options);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_ADD_H_
