#include "replication/files/file_sink.h"

namespace cloakroom {
namespace {

/// Of one write.
constexpr size_t kPieceBytes = 256 * 1024;
/// As Redis' incremental fsync.
constexpr int64_t kWritebackBytes = 4 * 1024 * 1024;

}  // namespace

void FileSink::Append(std::string_view bytes) {
  bytes_ += static_cast<int64_t>(bytes.size());
  if (gathered_.size() + bytes.size() < kPieceBytes) {
    gathered_.append(bytes);
    return;
  }
  Write(gathered_);
  gathered_.clear();
  if (bytes.size() < kPieceBytes) {
    gathered_.append(bytes);
  } else {
    Write(bytes);
  }
}

void FileSink::Write(std::string_view bytes) {
  if (!status_.ok() || bytes.empty()) return;
  status_ = file_.Append(bytes);
  not_started_ += static_cast<int64_t>(bytes.size());
  if (!status_.ok() || !steady_ || not_started_ < kWritebackBytes) return;
  file_.StartWriteback();
  not_started_ = 0;
}

absl::Status FileSink::Finish() {
  Write(gathered_);
  gathered_.clear();
  if (status_.ok()) status_ = file_.Sync();
  return status_;
}

}  // namespace cloakroom
