#include "replication/snapshot_file.h"

#include <filesystem>

#include "replication/command_snapshot.h"
#include "replication/file_sink.h"
#include "replication/rdb_writer.h"

namespace cloakroom {
namespace {

/// The newest version that redis-server 7.0 reads, and the first that has expiries of fields.
constexpr int kPlainVersion = 10;
constexpr int kFieldExpiryVersion = 12;

constexpr const char* kStopped = "it was stopped";
constexpr const char* kTooManyChanges =
    "keys change faster than the disk takes the snapshot. Save at a quieter time, or to a faster "
    "disk";

std::string FolderOf(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

RdbEntry ToRdb(const SnapshotEntry& entry) {
  return {.db = entry.db,
          .key = entry.key,
          .type = entry.type,
          .encoding = entry.encoding,
          .payload = entry.payload,
          .expire_at_ms = entry.expire_at_ms,
          .access = entry.access};
}

/// Where the entries of a snapshot go.
class SnapshotFormat {
 public:
  virtual ~SnapshotFormat() = default;
  virtual void Begin(const RdbAuxFields& aux) = 0;
  virtual void Entry(const SnapshotEntry& entry) = 0;
  virtual void End() = 0;
  virtual std::optional<std::string> error() const { return std::nullopt; }
};

class RdbFormat final : public SnapshotFormat {
 public:
  RdbFormat(ByteSink& sink, const RdbOptions& options) : writer_(sink, options) {}
  void Begin(const RdbAuxFields& aux) override {
    writer_.Begin();
    for (const auto& [key, value] : aux) writer_.Aux(key, value);
  }
  void Entry(const SnapshotEntry& entry) override { writer_.Entry(ToRdb(entry)); }
  void End() override { writer_.End(); }
  std::optional<std::string> error() const override { return writer_.error(); }

 private:
  RdbWriter writer_;
};

class CommandFormat final : public SnapshotFormat {
 public:
  CommandFormat(ByteSink& sink, int64_t now_ms) : snapshot_(sink, now_ms) {}
  void Begin(const RdbAuxFields& aux) override {
    for (const auto& [key, value] : aux) {
      if (key == kScriptAux) snapshot_.Script(value);
    }
  }
  void Entry(const SnapshotEntry& entry) override { snapshot_.Entry(entry); }
  void End() override {}

 private:
  CommandSnapshot snapshot_;
};

/// Encodes the snapshot that has begun. Empty: all is well.
std::optional<std::string> EncodeAll(Snapshot& snapshot, SnapshotFormat& format,
                                     const FileSink& sink, absl::FunctionRef<bool()> stop) {
  SnapshotBatch batch;
  // The wait for the instant may have been long.
  if (stop()) return kStopped;
  while (snapshot.Next(&batch)) {
    batch.ForEach([&](const SnapshotEntry& entry) { format.Entry(entry); });
    if (snapshot.failed()) return kTooManyChanges;
    if (format.error()) return format.error();
    if (sink.error()) return sink.error().text();
    if (stop()) return kStopped;
  }
  // The last pre-image may have been the one too many.
  if (snapshot.failed()) return kTooManyChanges;
  return std::nullopt;
}

FileError PutInPlace(Files& files, const SnapshotFileOptions& options) {
  if (FileError error = files.Rename(options.temporary_path, options.path)) return error;
  return files.SyncDirectory(FolderOf(options.path));
}

RdbOptions WriterOptions(const SnapshotFileOptions& options, Keyspace& keyspace,
                         bool field_expiry) {
  const StorageSettings& settings = keyspace.settings();
  const int oldest = field_expiry ? kFieldExpiryVersion : kPlainVersion;
  return {.version = options.version != 0 ? options.version : oldest,
          .compression = options.compression,
          .checksum = options.checksum,
          .access = RdbOptions::AccessOf(settings.policy),
          .lfu_decay_minutes = settings.lfu_decay_minutes,
          .now_ms = keyspace.clock().NowMs()};
}

}  // namespace

SnapshotFileResult WriteSnapshotFile(Keyspace& keyspace, Files& files,
                                     const SnapshotFileOptions& options,
                                     absl::FunctionRef<RdbAuxFields()> at_instant,
                                     absl::FunctionRef<bool()> stop) {
  SnapshotFileResult result;
  std::unique_ptr<WritableFile> file;
  if (FileError error = files.Create(options.temporary_path, &file)) {
    result.error = error.text();
    return result;
  }
  Snapshot& snapshot = keyspace.snapshot();
  RdbAuxFields aux;
  Snapshot::Facts facts = snapshot.Begin(
      options.max_pre_image_bytes, [&] { aux = at_instant(); }, options.gates_closed);
  FileSink sink(*file, options.incremental_fsync);
  std::unique_ptr<SnapshotFormat> format;
  if (options.as_commands) {
    format = std::make_unique<CommandFormat>(sink, keyspace.clock().NowMs());
  } else {
    format =
        std::make_unique<RdbFormat>(sink, WriterOptions(options, keyspace, facts.field_expiry));
  }
  format->Begin(aux);
  result.error = EncodeAll(snapshot, *format, sink, stop);
  if (result.error) {
    snapshot.Cancel();
  } else {
    format->End();
    FileError error = sink.Finish();
    if (!error) error = PutInPlace(files, options);
    if (error) result.error = error.text();
  }
  file.reset();
  if (result.error) files.Remove(options.temporary_path);
  result.keys = facts.keys;
  result.bytes = sink.bytes();
  return result;
}

}  // namespace cloakroom
