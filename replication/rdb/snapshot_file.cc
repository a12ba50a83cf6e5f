#include "replication/rdb/snapshot_file.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "replication/files/file_sink.h"

namespace cloakroom {
namespace {

std::string FolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

absl::Status PutInPlace(Files& files, const SnapshotPlace& place) {
  absl::Status renamed = files.Rename(place.temporary_path, place.path);
  return renamed.ok() ? files.SyncDirectory(FolderOf(place.path)) : renamed;
}

}  // namespace

absl::StatusOr<SnapshotFileFacts> WriteSnapshotFile(Keyspace& keyspace, Files& files,
                                                    const SnapshotPlace& place,
                                                    const SnapshotOptions& options,
                                                    absl::FunctionRef<SnapshotHead()> at_instant,
                                                    absl::FunctionRef<bool()> stop) {
  auto file = files.Create(place.temporary_path);
  if (!file.ok()) return file.status();
  FileSink sink(**file, place.incremental_fsync);
  const absl::StatusOr<size_t> keys = WriteSnapshot(keyspace, sink, options, at_instant, stop);
  absl::Status status = keys.status();
  if (status.ok()) status = sink.Finish();
  if (status.ok()) status = PutInPlace(files, place);
  file->reset();
  if (!status.ok()) {
    (void)files.Remove(place.temporary_path);
    return status;
  }
  return SnapshotFileFacts{*keys, sink.bytes()};
}

}  // namespace cloakroom
