#include "replication/stream/command_codec.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

void WriteZset(CommandOutput& out, const EntryView& entry, int64_t /*now_ms*/) {
  LongCommand command(out, "ZADD", entry.key, 2);
  Zset(entry.value).ForEach([&](const ScoredItem& item) {
    command.Add({ScoreText(item.score).view(), item.member});
  });
}

}  // namespace

constinit const CommandCodec kZsetCommands = {.type = ValueType::kZset, .write = WriteZset};

}  // namespace cloakroom
