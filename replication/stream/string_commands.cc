#include "replication/stream/command_codec.h"
#include "storage/base/integer_text.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

void WriteString(CommandOutput& out, const EntryView& entry, int64_t /*now_ms*/) {
  const StringView string(entry.value);
  if (entry.expire_at_ms == kNoExpiry) return out.Send({"SET", entry.key, string.bytes()});
  out.Send({"SET", entry.key, string.bytes(), "PXAT", IntegerText(entry.expire_at_ms).view()});
}

}  // namespace

constinit const CommandCodec kStringCommands = {
    .type = ValueType::kString, .write = WriteString, .says_expiry = true};

}  // namespace cloakroom
