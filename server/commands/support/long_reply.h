#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_LONG_REPLY_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_LONG_REPLY_H_

#include <cstddef>
#include <utility>

#include "server/execution/call.h"

namespace cloakroom {

/// From so many items on, going through a value is long work: a millisecond and more, for which
/// neither the stripe nor the event loop may wait.
inline constexpr size_t kLongWorkItems = 20'000;

/// Replies with what `write(ReplyWriter&, const View&)` makes of a Hash or a Set: at once when it
/// touches few `items`, otherwise on a worker thread, from a shared copy of the value. `write`
/// owns what it needs and must not refer to the call. Must be the last thing that a command does.
template <typename View, typename Write>
void ReplyFrom(Call& call, const View& view, size_t items, Write write) {
  if (items <= kLongWorkItems) return write(call.reply(), view);
  call.StartLongWork([shared = view.Share(), write = std::move(write)](LongWork& work) {
    write(work.reply, View(shared.view()));
  });
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_LONG_REPLY_H_
