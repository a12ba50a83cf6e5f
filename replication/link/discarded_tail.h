#ifndef CLOAKROOM_REPLICATION_LINK_DISCARDED_TAIL_H_
#define CLOAKROOM_REPLICATION_LINK_DISCARDED_TAIL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/files/files.h"
#include "replication/link/replication_history.h"
#include "replication/stream/change_stream.h"

namespace cloakroom {

/// The end of a history that a former primary gives up in a full sync: what it wrote and not every
/// replica acknowledged. Its new primary may have the beginning of it, but not the end.
///
/// Thread rule: a value.
struct DiscardedTail {
  HistoryPoint begin;        ///< where it begins: the ID and the offset
  int64_t missing = 0;       ///< bytes before it that belong to the tail, and are not kept
  int64_t first_record = 0;  ///< the stream's position at which its bytes are records, and kept
  int64_t position = 0;      ///< of the tail's first byte
  int64_t end = 0;           ///< behind its last one
  int last_db = 0;           ///< the database that is selected there

  friend bool operator==(const DiscardedTail&, const DiscardedTail&) = default;
};

/// The file that holds it.
struct TailFile {
  std::string path;
  int64_t commands = 0;
};

// A tail is written at the demotion, when nobody knows yet whether the new primary has it, into a
// file that is *undecided* until the link to a primary shows that. So a restart in between loses
// nothing. The files' names are undecided-<UTC>-<id>-<offset>.aof and discarded-<...>.aof, with the
// offset of the tail's beginning. The three newest files of each form stay.
//
// These functions wait for the disk, and use the working directory. Any thread, one at a time.

/// Writes the tail's commands into a new undecided file, as an append-only file: `redis-cli --pipe`
/// and `cloakroom-check-aof` read it. Commands that change no data (PING, REPLCONF, PUBLISH,
/// SPUBLISH) are left out. nullopt: nothing was left, and there is no file.
///
/// If the bytes that are kept do not say which database was selected at the beginning, the commands
/// before the first SELECT come without one.
///
/// REQUIRES: the stream keeps the bytes meanwhile.
absl::StatusOr<std::optional<TailFile>> WriteUndecidedTail(ChangeStream& stream,
                                                           const DiscardedTail& tail,
                                                           absl::Time now, Files& files);

/// The data of the undecided files is lost: they become discarded ones. Returns their new paths.
absl::StatusOr<std::vector<std::string>> KeepDiscardedTails(Files& files);

/// The primary has all data of the undecided files: removes them.
absl::Status RemoveUndecidedTails(Files& files);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_DISCARDED_TAIL_H_
