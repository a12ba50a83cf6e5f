#include "server/persistence/load_run.h"

#include <atomic>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/aof/aof_reader.h"
#include "replication/files/file_status.h"
#include "replication/rdb/rdb_loader.h"
#include "server/config/config.h"
#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/persistence/library_load.h"
#include "server/persistence/load_words.h"
#include "server/persistence/snapshot_options.h"

namespace cloakroom {
namespace {

constexpr char kStopped[] = "Stopped while loading the data.";
/// Commands between two checks of the clock and of `stop`.
constexpr int kCommandsPerLook = 1024;

/// Reads first what was already read from a source, then the source.
class ResumedSource final : public ByteSource {
 public:
  ResumedSource(std::string head, ByteSource& tail)
      : text_(std::move(head)), head_(text_), tail_(tail) {}
  size_t Read(std::span<char> into) override {
    const size_t n = head_.Read(into);
    return n > 0 ? n : tail_.Read(into);
  }

 private:
  const std::string text_;
  StringSource head_;
  ByteSource& tail_;
};

/// Reads enough bytes to tell whether an RDB begins there; fewer at the end.
std::string ReadHead(ByteSource& source) {
  char magic[9];
  size_t known = 0;
  while (known < sizeof(magic)) {
    const size_t n = source.Read(std::span(magic).subspan(known));
    if (n == 0) break;
    known += n;
  }
  return std::string(magic, known);
}

}  // namespace

absl::Status LoadRun::LoadSnapshot(const std::string& path, bool merge) {
  const auto file = parts_.files.OpenForRead(path);
  if (absl::IsNotFound(file.status())) {
    LogNotice("There is no {}, so no data to load", path);
    return absl::OkStatus();
  }
  if (!file.ok()) return UnreadableSnapshot(file.status());
  parts_.progress.set_total((*file)->size());
  FileSource source(**file);
  // For a replica the primary decides what expires, and when.
  const bool replica = !parts_.server.config().Words("replicaof").empty();
  const auto rest = LoadRdb(source, static_cast<uint64_t>((*file)->size()), path,
                            {.drop_expired = !replica, .merge = merge});
  // Bytes that could not be read look like damage.
  return source.status().ok() ? rest.status() : UnreadableSnapshot(source.status());
}

absl::Status LoadRun::LoadFromPrimary(ByteSource& source, uint64_t size, const Target& target) {
  if (size != RdbReader::kUnknownSize) parts_.progress.set_total(static_cast<int64_t>(size));
  return LoadRdb(source, size, "the primary's data",
                 {.drop_expired = false, .may_repair = false, .target = &target})
      .status();
}

absl::StatusOr<std::string> LoadRun::LoadRdb(ByteSource& source, uint64_t size,
                                             const std::string& path, const RdbSourceOptions& how) {
  Server& server = parts_.server;
  const Target own = {server.keyspace(), server.functions()};
  const Target& target = how.target != nullptr ? *how.target : own;
  std::atomic<bool> stopped = false;
  RdbLoadOptions options;
  options.threads = server.thread_count();
  options.drop_expired = how.drop_expired;
  options.replace = how.merge;
  options.lenient = how.may_repair && server.settings().repair;
  options.checksum = server.settings().rdbchecksum;
  options.now_ms = server.clock().NowMs();
  options.stop = &stopped;
  options.aux = [&](std::string_view name, std::string_view value) {
    TakeAuxField(server, name, value);
    if (parts_.backlog != nullptr) parts_.backlog->NoteField(name, value);
  };
  FunctionEngine functions(&target.libraries);
  options.function = [&](std::string_view library) {
    return LoadLibrary(target.libraries, functions, library, how.merge);
  };
  const int64_t before = parts_.progress.figures().done_bytes;
  options.progress = [&](uint64_t bytes) {
    parts_.progress.NoteBytes(before + static_cast<int64_t>(bytes));
    if (parts_.stop()) stopped = true;
  };
  RdbLoadResult result = cloakroom::LoadRdb(source, size, target.keyspace, options);
  parts_.progress.NoteKeys(static_cast<int64_t>(result.keys), static_cast<int64_t>(result.expired),
                           static_cast<int64_t>(result.lost));
  parts_.progress.NoteBytes(before + static_cast<int64_t>(result.bytes));
  if (result.stopped) return absl::CancelledError(kStopped);
  if (result.error) return DamagedRdb(path, *result.error);
  for (const RdbError& damage : result.damage) LogWarning("Lost: {}", damage.Text());
  if (result.lost > 0) {
    LogWarning("{} places of {} could not be read; the rest is loaded", result.lost, path);
  }
  LogNotice("Done loading RDB, keys loaded: {}, keys expired: {}{}.", result.keys, result.expired,
            result.empty > 0 ? absl::StrCat(", empty keys skipped: ", result.empty) : "");
  return std::move(result.rest);
}

absl::Status LoadRun::LoadLog(const AofManifest& manifest, const AppendOnlyFile& log) {
  std::vector<AofFileEntry> entries = manifest.incrs();
  if (manifest.base()) entries.insert(entries.begin(), *manifest.base());
  int64_t total = 0;
  for (const AofFileEntry& entry : entries) {
    total += parts_.files.Size(log.PathOf(entry.name)).value_or(0);
  }
  parts_.progress.set_total(total);
  const bool running = log.state() != AppendOnlyFile::State::kOff;
  for (size_t i = 0; i < entries.size(); ++i) {
    const bool last = i + 1 == entries.size();
    absl::Status status = LoadLogFile(log.PathOf(entries[i].name), last, running);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status LoadRun::LoadLogFile(const std::string& path, bool last, bool running) {
  const auto file = parts_.files.OpenForRead(path);
  if (!file.ok()) return UnreadableLog(path, file.status());
  FileSource source(**file);
  if (parts_.backlog != nullptr) parts_.backlog->BeginFile();
  const LogPart part{.path = path, .source = source, .last = last, .running = running};
  std::string head = ReadHead(source);
  int64_t offset = 0;
  if (AofReader::IsRdb(head)) {
    // A base file, or the preamble of a log in one file. Expired keys are kept: the commands of the
    // log may depend on them.
    ResumedSource whole(std::move(head), source);
    const uint64_t size = static_cast<uint64_t>((*file)->size());
    const int64_t before = parts_.progress.figures().done_bytes;
    auto rest = LoadRdb(whole, size, path, {.drop_expired = false});
    if (!source.status().ok()) return UnreadableLog(path, source.status());
    if (!rest.ok()) return rest.status();
    head = *std::move(rest);
    offset = parts_.progress.figures().done_bytes - before;
  }
  ResumedSource commands(std::move(head), source);
  return Replay(commands, offset, part);
}

absl::Status LoadRun::Replay(ByteSource& commands, int64_t offset, const LogPart& part) {
  AofReader reader(commands, offset);
  AofBacklog* const backlog = parts_.backlog;
  if (backlog != nullptr) {
    reader.OnAnnotation([backlog](std::string_view line) { backlog->NoteAnnotation(line); });
  }
  const std::unique_ptr<Applier> applier = parts_.appliers(parts_.hold);
  const int64_t before = parts_.progress.figures().done_bytes - offset;
  for (int count = 0;; ++count) {
    if (count % kCommandsPerLook == 0) {
      parts_.progress.NoteBytes(before + reader.offset());
      if (parts_.stop()) return absl::CancelledError(kStopped);
    }
    const AofReader::Status status = reader.Next();
    // Check this first: a failing disk must not cut the end off the log.
    if (status != AofReader::Status::kCommand && !part.source.status().ok()) {
      return UnreadableLog(part.path, part.source.status());
    }
    switch (status) {
      case AofReader::Status::kCommand: {
        // A running server keeps its scripts, whatever the log says.
        if (part.running && EqualsIgnoreCase(reader.arguments()[0], "script")) break;
        const absl::Status applied = applier->Run(reader.arguments());
        if (!applied.ok()) {
          return RefusedCommand(part.path, reader.command_offset(), MessageOf(applied));
        }
        if (backlog != nullptr) {
          backlog->NoteCommand(reader.arguments(), reader.bytes(), reader.in_transaction());
        }
        break;
      }
      case AofReader::Status::kEnd:
        parts_.progress.NoteBytes(before + reader.offset());
        return absl::OkStatus();
      case AofReader::Status::kTruncated:
        return Cut(part, reader.whole_offset());
      case AofReader::Status::kFormatError:
      case AofReader::Status::kRdbPreamble:
        return DamagedLog(part.path, part.last, reader);
    }
  }
}

absl::Status LoadRun::Cut(const LogPart& part, int64_t offset) {
  LogWarning("!!! Warning: short read while loading the AOF file {}!!!", part.path);
  if (!part.last || !parts_.server.settings().aof_load_truncated) {
    return TornLog(part.path, part.last, offset);
  }
  LogWarning("AOF {} loaded anyway because aof-load-truncated is enabled", part.path);
  LogWarning("Truncating the AOF {} at offset {}", part.path, offset);
  return parts_.files.Truncate(part.path, offset);
}

}  // namespace cloakroom
