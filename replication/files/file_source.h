#ifndef CLOAKROOM_REPLICATION_FILES_FILE_SOURCE_H_
#define CLOAKROOM_REPLICATION_FILES_FILE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "replication/files/bytes.h"
#include "replication/files/files.h"

namespace cloakroom {

/// The bytes of a file, which must outlive it. What cannot be read ends it for good.
/// Thread rule: one thread at a time.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(ReadableFile& file) : file_(file) {}

  size_t Read(std::span<char> into) override {
    if (error_) return 0;
    const int64_t read = file_.Read(into, &error_);
    return read < 0 ? 0 : static_cast<size_t>(read);
  }
  /// Why the file ended, if it was no end.
  const FileError& error() const { return error_; }

 private:
  ReadableFile& file_;
  FileError error_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILE_SOURCE_H_
