#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_REPLY_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_REPLY_H_

#include <cstdint>

#include "protocol/reply_writer.h"
#include "storage/values/stream.h"

namespace cloakroom {

// The forms in which several commands reply entries. Any thread.

void ReplyStreamId(ReplyWriter& reply, const StreamId& id);
/// [id, [field, value, ...]]
void ReplyEntry(ReplyWriter& reply, const StreamEntry& entry);
/// The entry with this ID; false, and no reply, if there is none.
bool ReplyEntryOf(ReplyWriter& reply, const Stream& stream, const StreamId& id);
/// An array of at most `count` entries; kNoCount: all. Returns how many they are.
size_t ReplyEntries(ReplyWriter& reply, const Stream& stream, const StreamRange& range,
                    int64_t count, bool backwards = false);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_STREAM_REPLY_H_
