#include "server/commands/support/stream_reply.h"

namespace cloakroom {

void ReplyStreamId(ReplyWriter& reply, const StreamId& id) { reply.Bulk(StreamIdText(id).view()); }

void ReplyEntry(ReplyWriter& reply, const StreamEntry& entry) {
  reply.Array(2);
  ReplyStreamId(reply, entry.id());
  reply.Array(2 * entry.size());
  entry.ForEach([&](const StreamText& field, const StreamText& value) {
    reply.Bulk(field.view());
    reply.Bulk(value.view());
  });
}

bool ReplyEntryOf(ReplyWriter& reply, const Stream& stream, const StreamId& id) {
  bool found = false;
  stream.ForEach({id, id}, [&](const StreamEntry& entry) {
    found = true;
    ReplyEntry(reply, entry);
    return false;
  });
  return found;
}

size_t ReplyEntries(ReplyWriter& reply, const Stream& stream, const StreamRange& range,
                    int64_t count, bool backwards) {
  const size_t mark = reply.BeginArray();
  size_t replied = 0;
  const auto one = [&](const StreamEntry& entry) {
    ReplyEntry(reply, entry);
    ++replied;
    return count < 0 || replied < static_cast<size_t>(count);
  };
  backwards ? stream.ForEachBackwards(range, one) : stream.ForEach(range, one);
  reply.EndArray(mark, replied);
  return replied;
}

}  // namespace cloakroom
