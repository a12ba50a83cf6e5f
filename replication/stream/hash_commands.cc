#include "replication/stream/command_codec.h"
#include "storage/base/integer_text.h"
#include "storage/values/hash.h"

namespace cloakroom {
namespace {

void WriteHash(CommandOutput& out, const EntryView& entry, int64_t now_ms) {
  const Hash hash(entry.value);
  {
    LongCommand command(out, "HSET", entry.key, 2);
    hash.ForEach([&](const Item& item) { command.Add({item.field, item.value.bytes}); }, now_ms);
  }
  if (hash.NextExpiry() == kNever) return;
  hash.ForEach(
      [&](const Item& item) {
        if (item.expires_at_ms == kNever) return;
        out.Send({"HPEXPIREAT", entry.key, IntegerText(item.expires_at_ms).view(), "FIELDS", "1",
                  item.field});
      },
      now_ms);
}

}  // namespace

constinit const CommandCodec kHashCommands = {.type = ValueType::kHash, .write = WriteHash};

}  // namespace cloakroom
