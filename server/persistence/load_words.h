#ifndef CLOAKROOM_SERVER_PERSISTENCE_LOAD_WORDS_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LOAD_WORDS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "replication/aof/aof_reader.h"
#include "replication/rdb/rdb_error.h"

namespace cloakroom {

// What the operator is told, and advised to do, when data cannot be loaded. Each is an error with
// the whole text as its message.

/// The bytes of an RDB file, or of a log's RDB preamble, are damaged, or not for this server.
absl::Status DamagedRdb(const std::string& path, const RdbError& error);
/// The snapshot's file cannot be read: `error` is a FileError.
absl::Status UnreadableSnapshot(const absl::Status& error);

/// A file of the log cannot be read: `error` is a FileError.
absl::Status UnreadableLog(const std::string& path, const absl::Status& error);
/// The log's folder cannot be read, or its manifest is wrong.
absl::Status UnreadableLogFolder(const absl::Status& error);
/// The commands of a log's file are damaged where the reader stands. `last`: it is the log's last
/// file.
absl::Status DamagedLog(const std::string& path, bool last, const AofReader& reader);
/// A file of the log ends in the middle of a command that begins at `offset`, and was not cut
/// there.
absl::Status TornLog(const std::string& path, bool last, int64_t offset);
/// The log has, at `offset`, a command that this server does not have.
absl::Status RefusedCommand(const std::string& path, int64_t offset, std::string_view reason);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOAD_WORDS_H_
