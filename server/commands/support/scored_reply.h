#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCORED_REPLY_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCORED_REPLY_H_

#include <cstddef>

#include "protocol/reply_writer.h"
#include "storage/values/scored_item.h"

namespace cloakroom {

// Replies with members of sorted sets: members alone, or with scores; those in one flat array in
// RESP2, and in an array of pairs in RESP3.

/// The header for `count` members.
inline void BeginScored(ReplyWriter& reply, size_t count, bool with_scores) {
  reply.Array(with_scores && reply.resp() == 2 ? count * 2 : count);
}

inline void ReplyScored(ReplyWriter& reply, const ScoredItem& item, bool with_scores) {
  if (with_scores && reply.resp() > 2) reply.Array(2);
  reply.Bulk(item.member);
  if (with_scores) reply.Double(item.score);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCORED_REPLY_H_
