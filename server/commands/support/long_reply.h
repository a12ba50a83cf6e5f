#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_LONG_REPLY_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_LONG_REPLY_H_

#include <cstddef>
#include <utility>

#include "server/execution/call.h"

namespace cloakroom {

/// Above this number of items, iterating over a value is long work: a millisecond or more, for
/// which neither the stripe nor the event loop may wait.
inline constexpr size_t kLongWorkItems = 20'000;

/// The view of a value at the same moment, for types whose views have one.
template <typename View>
View AtSameMoment([[maybe_unused]] const View& view, const ValueView& value) {
  if constexpr (requires { view.now_ms(); }) {
    return View(value, view.now_ms());
  } else {
    return View(value);
  }
}

/// Replies with what `write(ReplyWriter&, const View&)` makes of a Hash or a Set: at once when it
/// touches few `items`, otherwise on a worker, from a shared copy of the value. `write` must own
/// what it needs and not refer to the call. Must be the last thing that a command does.
template <typename View, typename Write>
void ReplyFrom(Call& call, const View& view, size_t items, Write write) {
  if (items <= kLongWorkItems) return write(call.reply(), view);
  call.StartLongWork([view, shared = view.Share(), write = std::move(write)](LongWork& work) {
    write(work.reply, AtSameMoment(view, shared.view()));
  });
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_LONG_REPLY_H_
