#include <vector>

#include "replication/stream/command_codec.h"
#include "storage/base/integer_text.h"
#include "storage/values/stream.h"

namespace cloakroom {
namespace {

void WriteEntries(CommandOutput& out, std::string_view key, const Stream& stream) {
  std::vector<StreamText> texts;
  std::vector<std::string_view> words;
  stream.ForEach({}, [&](const StreamEntry& entry) {
    texts.clear();
    entry.ForEach([&](const StreamText& field, const StreamText& value) {
      texts.push_back(field);
      texts.push_back(value);
    });
    const StreamIdText id(entry.id());
    words = {"XADD", key, id.view()};
    for (const StreamText& text : texts) words.push_back(text.view());
    out.Send(words);
    return true;
  });
}

void WriteGroup(CommandOutput& out, std::string_view key, std::string_view name,
                const StreamGroup& group) {
  out.Send({"XGROUP", "CREATE", key, name, StreamIdText(group.last_id).view(), "ENTRIESREAD",
            IntegerText(group.entries_read).view()});
  for (const auto& [consumer, state] : group.consumers()) {
    out.Send({"XGROUP", "CREATECONSUMER", key, name, consumer});
  }
  group.pending().ForEachFrom(kFirstStreamId, [&](const PendingEntry& entry) {
    out.Send({"XCLAIM", key, name, group.NameOf(entry.consumer), "0", StreamIdText(entry.id).view(),
              "TIME", IntegerText(entry.delivered_ms).view(), "RETRYCOUNT",
              IntegerText(entry.deliveries).view(), "JUSTID", "FORCE"});
    return true;
  });
}

void WriteStream(CommandOutput& out, const EntryView& entry, int64_t /*now_ms*/) {
  const Stream stream(entry.value);
  const std::string_view key = entry.key;
  WriteEntries(out, key, stream);
  if (stream.empty()) {
    // The entry is gone at once, but the stream is there.
    const StreamId id = stream.last_id().zero() ? StreamId{0, 1} : stream.last_id();
    out.Send({"XADD", key, "MAXLEN", "0", StreamIdText(id).view(), "x", "y"});
  }
  out.Send({"XSETID", key, StreamIdText(stream.last_id()).view(), "ENTRIESADDED",
            IntegerText(static_cast<int64_t>(stream.entries_added())).view(), "MAXDELETEDID",
            StreamIdText(stream.max_deleted()).view()});
  if (stream.groups() == nullptr) return;
  for (const auto& [name, group] : stream.groups()->by_name) WriteGroup(out, key, name, group);
}

}  // namespace

constinit const CommandCodec kStreamCommands = {.type = ValueType::kStream, .write = WriteStream};

}  // namespace cloakroom
