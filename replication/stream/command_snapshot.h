#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_SNAPSHOT_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_SNAPSHOT_H_

#include <cstdint>
#include <string_view>

#include "replication/files/bytes.h"
#include "replication/stream/command_codec.h"
#include "storage/keyspace/entry_view.h"

namespace cloakroom {

/// Writes a snapshot as commands that make it: the base of an append-only log if
/// aof-use-rdb-preamble is off. The codec of a type (command_codec.h) chooses the commands.
///
/// Thread rule: one thread at a time.
class CommandSnapshot {
 public:
  /// Omits fields that have expired by `now_ms`.
  CommandSnapshot(ByteSink& sink, int64_t now_ms) : out_(sink), now_ms_(now_ms) {}

  void Script(std::string_view text);
  /// `source` of a function library.
  void Function(std::string_view source);
  void Entry(const EntryView& entry);

 private:
  void Select(int db);

  CommandOutput out_;
  const int64_t now_ms_;
  int db_ = -1;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_SNAPSHOT_H_
