#include "replication/stream/command_snapshot.h"

#include "storage/base/integer_text.h"

namespace cloakroom {

void CommandSnapshot::Script(std::string_view text) { out_.Send({"SCRIPT", "LOAD", text}); }

void CommandSnapshot::Function(std::string_view source) { out_.Send({"FUNCTION", "LOAD", source}); }

void CommandSnapshot::Select(int db) {
  if (db == db_) return;
  db_ = db;
  out_.Send({"SELECT", IntegerText(db).view()});
}

void CommandSnapshot::Entry(const EntryView& entry) {
  Select(entry.db);
  const CommandCodec& codec = CommandCodecOf(entry.value.type);
  codec.write(out_, entry, now_ms_);
  if (codec.says_expiry || entry.expire_at_ms == kNoExpiry) return;
  out_.Send({"PEXPIREAT", entry.key, IntegerText(entry.expire_at_ms).view()});
}

}  // namespace cloakroom
