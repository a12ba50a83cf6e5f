#ifndef CLOAKROOM_REPLICATION_STREAM_COMMAND_STREAM_H_
#define CLOAKROOM_REPLICATION_STREAM_COMMAND_STREAM_H_

#include <cstddef>
#include <string>
#include <vector>

#include "storage/changes/change.h"

namespace cloakroom {

/// A batch of changes in the stream's form, without the SELECT that may be needed before it:
/// commands in RESP, in pieces that end where a command ends.
struct EncodedChanges {
  int first_db = 0;  ///< that must be selected before it
  int last_db = 0;   ///< that is selected after it
  std::vector<std::string> pieces;

  size_t byte_count() const;
};

/// Encodes a batch, which is not empty, in pieces of about `piece_bytes`. Any thread, with no lock.
EncodedChanges EncodeChanges(const ChangeBatch& batch, size_t piece_bytes);

/// Concatenates batches of changes: the stream that the append-only log, and later the replicas,
/// take. Redis' own form: commands in RESP, with SELECT where the database changes, and MULTI and
/// EXEC around a batch of more than one, so that it is executed whole or not at all.
///
/// Thread rule: one thread at a time, the one that owns the bytes to which it appends.
class CommandStream {
 public:
  /// Appends the batch to `bytes`.
  void Encode(const ChangeBatch& batch, std::string* bytes);
  /// Appends what must precede a batch that was encoded separately and comes next.
  void Lead(const EncodedChanges& changes, std::string* bytes);
  /// A file begins here: what comes next must select its database.
  void Restart() { db_ = kNone; }

 private:
  static constexpr int kNone = -1;
  void Select(int db, std::string* bytes);

  int db_ = kNone;  ///< that the stream has selected
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_COMMAND_STREAM_H_
