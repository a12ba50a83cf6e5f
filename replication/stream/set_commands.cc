#include "replication/stream/command_codec.h"
#include "storage/values/set.h"

namespace cloakroom {
namespace {

void Write(CommandOutput& out, const EntryView& entry, int64_t /*now_ms*/) {
  LongCommand command(out, "SADD", entry.key, 1);
  Set(entry.value).ForEach([&](std::string_view member) { command.Add({member}); });
}

}  // namespace

constinit const CommandCodec kSetCommands = {.type = ValueType::kSet, .write = Write};

}  // namespace cloakroom
