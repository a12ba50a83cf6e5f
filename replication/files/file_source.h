#ifndef CLOAKROOM_REPLICATION_FILES_FILE_SOURCE_H_
#define CLOAKROOM_REPLICATION_FILES_FILE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/files/bytes.h"
#include "replication/files/files.h"

namespace cloakroom {

/// The bytes of a file, which must outlive it. A failed read ends it for good. Thread rule: one
/// thread at a time.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(ReadableFile& file) : file_(file) {}

  size_t Read(std::span<char> into) override {
    if (!status_.ok()) return 0;
    absl::StatusOr<size_t> read = file_.Read(into);
    if (read.ok()) return *read;
    status_ = std::move(read).status();
    return 0;
  }
  /// Why the file ended; OK at its real end.
  const absl::Status& status() const { return status_; }

 private:
  ReadableFile& file_;
  absl::Status status_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILE_SOURCE_H_
