#ifndef CLOAKROOM_REPLICATION_FILES_FILE_SINK_H_
#define CLOAKROOM_REPLICATION_FILES_FILE_SINK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "replication/files/bytes.h"
#include "replication/files/files.h"

namespace cloakroom {

/// Gathers bytes and writes them to a file in large pieces. After the first error it writes nothing
/// more. Thread rule: one thread at a time.
class FileSink final : public ByteSink {
 public:
  /// `steady`: sends written bytes to the disk as it goes, so that neither the page cache nor the
  /// final fsync grows with the file.
  FileSink(WritableFile& file, bool steady) : file_(file), steady_(steady) {}

  void Append(std::string_view bytes) override;
  /// Writes the gathered bytes, and syncs the file.
  absl::Status Finish();

  absl::Status status() const override { return status_; }
  int64_t bytes() const { return bytes_; }

 private:
  void Write(std::string_view bytes);

  WritableFile& file_;
  const bool steady_;
  absl::Status status_;
  int64_t bytes_ = 0;        ///< appended
  int64_t not_started_ = 0;  ///< written since the last StartWriteback
  std::string gathered_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILE_SINK_H_
