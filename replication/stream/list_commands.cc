#include "replication/stream/command_codec.h"
#include "storage/values/list.h"

namespace cloakroom {
namespace {

void WriteList(CommandOutput& out, const EntryView& entry, int64_t /*now_ms*/) {
  LongCommand command(out, "RPUSH", entry.key, 1);
  const List list(entry.value);
  list.ForEach(0, list.size(), [&](std::string_view element) { command.Add({element}); });
}

}  // namespace

constinit const CommandCodec kListCommands = {.type = ValueType::kList, .write = WriteList};

}  // namespace cloakroom
