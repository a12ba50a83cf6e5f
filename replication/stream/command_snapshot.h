#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_SNAPSHOT_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_SNAPSHOT_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "replication/files/bytes.h"
#include "storage/snapshot/snapshot_batch.h"

namespace cloakroom {

/// Writes a snapshot as commands that make it: the base of an append-only log where
/// aof-use-rdb-preamble is off. Collections go in commands of 64 items, as in Redis.
///
/// Thread rule: one thread at a time.
class CommandSnapshot {
 public:
  /// Fields that have expired by `now_ms` are left out.
  CommandSnapshot(ByteSink& sink, int64_t now_ms) : sink_(sink), now_ms_(now_ms) {}

  void Script(std::string_view text);
  void Entry(const SnapshotEntry& entry);

 private:
  void Send(std::initializer_list<std::string_view> words);
  void Select(int db);
  void String(const SnapshotEntry& entry);
  void HashFields(const SnapshotEntry& entry);
  void SetMembers(const SnapshotEntry& entry);

  ByteSink& sink_;
  const int64_t now_ms_;
  int db_ = -1;
  std::string bytes_;  ///< of the command under way
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_SNAPSHOT_H_
