#ifndef CLOAKROOM_REPLICATION_FILES_FILE_STATUS_H_
#define CLOAKROOM_REPLICATION_FILES_FILE_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cloakroom {

// An error of a file is an absl::Status that also carries errno, for the few callers that give
// advice by it.

/// The operating system's answer to a call on a file. `what` is the call and the path; the message
/// is both: "fsync dump.rdb: No space left on device". The code is kNotFound if the path leads to
/// nothing (ENOENT, ENOTDIR), and kUnavailable for every other errno: it is then unknown what is
/// there.
absl::Status FileError(int error_number, std::string_view what);

/// The errno of a FileError; 0 of any other status.
int ErrnoOf(const absl::Status& status);
/// Only the system's text: "No space left on device". Empty if it is not a FileError.
std::string ErrnoText(const absl::Status& status);
/// Only a FileError's call and path: "fsync dump.rdb".
std::string FileCallOf(const absl::Status& status);

/// The message as a std::string (see protocol/text.h).
std::string MessageOf(const absl::Status& status);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILE_STATUS_H_
