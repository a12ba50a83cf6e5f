#ifndef CLOAKROOM_REPLICATION_FILES_FILE_STATUS_H_
#define CLOAKROOM_REPLICATION_FILES_FILE_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cloakroom {

// Errors of files are an absl::Status like all others. It carries errno besides, for the few who
// give advice by it.

/// What the operating system said to a call on a file. `what` is the call and the path; the
/// message is both: "fsync dump.rdb: No space left on device". The code is kNotFound when the path
/// leads to nothing (ENOENT, ENOTDIR), and kUnavailable for every other errno: of those it is not
/// known what lies there.
absl::Status FileError(int error_number, std::string_view what);

/// The errno of a FileError; 0 of any other status.
int ErrnoOf(const absl::Status& status);
/// The system's word for it alone: "No space left on device". Empty when it is no FileError.
std::string ErrnoText(const absl::Status& status);
/// A FileError's call and path alone: "fsync dump.rdb".
std::string FileCallOf(const absl::Status& status);

/// The message as a string of this tree's kind (see protocol/text.h).
std::string MessageOf(const absl::Status& status);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILE_STATUS_H_
