#ifndef CLOAKROOM_REPLICATION_COMMAND_STREAM_H_
#define CLOAKROOM_REPLICATION_COMMAND_STREAM_H_

#include <string>

#include "storage/change_log.h"

namespace cloakroom {

/// Turns batches of changes into the stream that the append-only log, and later the replicas, take:
/// commands in RESP, with SELECT where the database changes, and MULTI and EXEC around a batch of
/// more than one, so that it is executed whole or not at all. Redis' own form.
///
/// Thread rule: one thread at a time, the one that owns the bytes at their end.
class CommandStream {
 public:
  /// Appends the batch to `bytes`.
  void Encode(const ChangeBatch& batch, std::string* bytes);
  /// What comes next stands at the beginning of a file: it has to say its database.
  void Restart() { db_ = kNone; }

 private:
  static constexpr int kNone = -1;
  int db_ = kNone;  ///< that the stream has selected
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_COMMAND_STREAM_H_
