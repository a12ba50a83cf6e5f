#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_STREAM_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_STREAM_H_

#include <cstddef>
#include <string>
#include <vector>

#include "storage/changes/change.h"

namespace cloakroom {

/// A batch of changes in the stream's form, but for the SELECT that may have to stand in front of
/// it: commands in RESP, in pieces that end where a command ends.
struct EncodedChanges {
  int first_db = 0;  ///< that must be selected in front of it
  int last_db = 0;   ///< that is selected behind it
  std::vector<std::string> pieces;

  size_t byte_count() const;
};

/// Encodes a batch, which is not empty, in pieces of some `piece_bytes`. Any thread, with no lock.
EncodedChanges EncodeChanges(const ChangeBatch& batch, size_t piece_bytes);

/// Puts batches of changes one behind the other: the stream that the append-only log, and later the
/// replicas, take. Commands in RESP, with SELECT where the database changes, and MULTI and EXEC
/// around a batch of more than one, so that it is executed whole or not at all. Redis' own form.
///
/// Thread rule: one thread at a time, the one that owns the bytes at their end.
class CommandStream {
 public:
  /// Appends the batch to `bytes`.
  void Encode(const ChangeBatch& batch, std::string* bytes);
  /// Appends what must stand in front of a batch that was encoded apart, and comes next.
  void Lead(const EncodedChanges& changes, std::string* bytes);
  /// What comes next stands at the beginning of a file: it has to say its database.
  void Restart() { db_ = kNone; }

 private:
  static constexpr int kNone = -1;
  void Select(int db, std::string* bytes);

  int db_ = kNone;  ///< that the stream has selected
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_STREAM_H_
