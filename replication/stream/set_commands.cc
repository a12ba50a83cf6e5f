#include "replication/stream/command_codec.h"
#include "storage/base/integer_text.h"
#include "storage/values/set.h"

namespace cloakroom {
namespace {

void WriteSet(CommandOutput& out, const EntryView& entry, int64_t now_ms) {
  const Set set(entry.value, now_ms);
  {
    LongCommand command(out, "SADD", entry.key, 1);
    set.ForEach([&](std::string_view member) { command.Add({member}); });
  }
  if (set.NextExpiry() == kNever) return;
  set.ForEachItem([&](const Item& item) {
    if (item.expires_at_ms == kNever) return;
    out.Send({"SPEXPIREAT", entry.key, IntegerText(item.expires_at_ms).view(), "MEMBERS", "1",
              item.field});
  });
}

}  // namespace

constinit const CommandCodec kSetCommands = {.type = ValueType::kSet, .write = WriteSet};

}  // namespace cloakroom
