// Persistence, as far as it loads: at the start of the server, and for DEBUG RELOAD.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/aof_reader.h"
#include "replication/file_source.h"
#include "replication/rdb_loader.h"
#include "server/log/log.h"
#include "server/persistence/log_replay.h"
#include "server/persistence/persistence.h"
#include "server/persistence/snapshot_options.h"
#include "server/server.h"
#include "server/supervisor.h"
#include "storage/hold.h"

namespace cloakroom {
namespace {

constexpr std::string_view kStopped = "Stopped while loading the data.";
/// Commands between two looks at the clock and the stop.
constexpr int kCommandsPerLook = 1024;
/// What the log says of a long load.
constexpr int64_t kProgressMs = 2000;

/// What was read ahead of a source, then the source.
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

std::string Damaged(const std::string& path, const RdbError& error) {
  return absl::StrCat(
      "The RDB file ", path, " can't be loaded: ", error.Text(),
      ". Restore it from a backup; or look at it with cloakroom-check-rdb, and start "
      "with --repair yes to load what can be read.");
}

std::string DamagedLog(const std::string& path, const AofReader& reader) {
  return absl::StrCat("Bad file format reading the append only file ", path, " at offset ",
                      reader.offset(), ": ", reader.error(),
                      ". Make a backup of the log, then use cloakroom-check-aof --fix <manifest>.");
}

}  // namespace

void Persistence::BeginLoading() {
  MutexLock lock(mutex_);
  figures_.loading = true;
  figures_.loading_started_s = server_.clock().NowMs() / 1000;
  figures_.loading_done_bytes = figures_.loading_total_bytes = 0;
  figures_.loaded_keys = figures_.expired_while_loading = 0;
  loading_ = true;
}

void Persistence::EndLoading() {
  MutexLock lock(mutex_);
  figures_.loading = false;
  loading_ = false;
  saved_changes_ = server_.keyspace().changes();
}

void Persistence::NoteProgress(int64_t done_bytes) {
  const int64_t now_ms = server_.clock().NowMs();
  MutexLock lock(mutex_);
  figures_.loading_done_bytes = done_bytes;
  if (last_progress_ms_ == 0) last_progress_ms_ = now_ms;
  if (now_ms - last_progress_ms_ < kProgressMs) return;
  last_progress_ms_ = now_ms;
  const int64_t total = std::max<int64_t>(figures_.loading_total_bytes, 1);
  LogNotice("Loading: {} % of {} MB", 100 * done_bytes / total, total >> 20);
  TellSupervisor(absl::StrCat("STATUS=Loading: ", 100 * done_bytes / total, " %\n",
                              std::string(kStillAtWork)));
}

std::optional<std::string> Persistence::Load(absl::FunctionRef<bool()> stop) {
  Hold hold(server_.keyspace().background_slot());
  CloseGates(hold);
  const int64_t started_us = server_.clock().MonotonicUs();
  const bool from_log = server_.config().Text("appendonly") == "yes";
  std::optional<std::string> error = LoadAll({.from_log = from_log}, stop);
  if (!error) {
    const double seconds =
        static_cast<double>(server_.clock().MonotonicUs() - started_us) / 1'000'000;
    LogNotice("DB loaded from {}: {:.3f} seconds, {} keys", from_log ? "append only file" : "disk",
              seconds, figures().loaded_keys);
    if (from_log) error = ResumeLog();
  }
  EndLoading();
  return error;
}

std::optional<std::string> Persistence::LoadAll(const ReloadOptions& options,
                                                absl::FunctionRef<bool()> stop) {
  if (options.from_log) return LoadLog(stop);
  const std::string path = server_.config().Text("dbfilename");
  if (path.empty() || !files_.Exists(path)) return std::nullopt;
  {
    MutexLock lock(mutex_);
    figures_.loading_total_bytes = files_.Size(path).value_or(0);
  }
  return LoadSnapshotFile(path, /*drop_expired=*/true, options.merge, stop);
}

std::optional<std::string> Persistence::LoadSnapshotFile(const std::string& path, bool drop_expired,
                                                         bool merge,
                                                         absl::FunctionRef<bool()> stop) {
  std::unique_ptr<ReadableFile> file;
  if (FileError error = files_.OpenForRead(path, &file)) {
    return absl::StrCat("Can't load the data: ", error.text(), ". Mend its owner or mode.");
  }
  FileSource source(*file);
  std::string rest;
  auto error = LoadRdbFrom(source, static_cast<uint64_t>(file->size()), path,
                           {.drop_expired = drop_expired, .merge = merge}, &rest, stop);
  if (!error && source.error()) error = source.error().text();
  return error;
}

std::optional<std::string> Persistence::LoadRdbFrom(ByteSource& source, uint64_t size,
                                                    const std::string& path,
                                                    const RdbSourceOptions& how, std::string* rest,
                                                    absl::FunctionRef<bool()> stop) {
  std::atomic<bool> stopped = false;
  RdbLoadOptions options;
  options.threads = server_.thread_count();
  options.drop_expired = how.drop_expired;
  options.replace = how.merge;
  options.lenient = server_.settings().repair;
  options.now_ms = server_.clock().NowMs();
  options.stop = &stopped;
  options.aux = [&](std::string_view name, std::string_view value) {
    TakeAuxField(server_, name, value);
  };
  const int64_t before = figures().loading_done_bytes;
  options.progress = [&](uint64_t bytes) {
    NoteProgress(before + static_cast<int64_t>(bytes));
    if (stop()) stopped = true;
  };
  RdbLoadResult result = LoadRdb(source, size, server_.keyspace(), options);
  {
    MutexLock lock(mutex_);
    figures_.loaded_keys += static_cast<int64_t>(result.keys);
    figures_.expired_while_loading += static_cast<int64_t>(result.expired);
    figures_.loading_done_bytes = before + static_cast<int64_t>(result.bytes);
  }
  if (result.stopped) return std::string(kStopped);
  if (result.error) return Damaged(path, *result.error);
  for (const RdbError& damage : result.damage) LogWarning("Lost: {}", damage.Text());
  if (result.lost > 0) {
    LogWarning("{} places of {} could not be read; the rest is loaded", result.lost, path);
  }
  *rest = std::move(result.rest);
  return std::nullopt;
}

AofDirectory::Loaded Persistence::LoadManifest() {
  const AppendOnlyFile::Options& options = journal_.file().options();
  return AofDirectory::Load(files_, options.directory, options.name);
}

std::optional<std::string> Persistence::LoadLog(absl::FunctionRef<bool()> stop) {
  AofDirectory::Loaded loaded = LoadManifest();
  if (!loaded.error.empty()) {
    return absl::StrCat("The append-only log can't be read: ", loaded.error,
                        ". Mend the manifest, or restore the folder from a backup.");
  }
  AppendOnlyFile& log = journal_.file();
  std::vector<AofFileEntry> parts = loaded.manifest.incrs();
  if (loaded.manifest.base()) parts.insert(parts.begin(), *loaded.manifest.base());
  int64_t total = 0;
  for (const AofFileEntry& part : parts) total += files_.Size(log.PathOf(part.name)).value_or(0);
  {
    MutexLock lock(mutex_);
    figures_.loading_total_bytes = total;
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    auto error = LoadLogFile(log.PathOf(parts[i].name), i + 1 == parts.size(), stop);
    if (error) return error;
  }
  if (log.state() == AppendOnlyFile::State::kOff) log.Adopt(std::move(loaded.manifest));
  return std::nullopt;
}

std::optional<std::string> Persistence::LoadLogFile(const std::string& path, bool last,
                                                    absl::FunctionRef<bool()> stop) {
  std::unique_ptr<ReadableFile> file;
  if (FileError error = files_.OpenForRead(path, &file)) return error.text();
  FileSource source(*file);
  char magic[9];
  size_t known = 0;
  while (known < sizeof(magic)) {
    const size_t n = source.Read(std::span(magic).subspan(known));
    if (n == 0) break;
    known += n;
  }
  std::string head(magic, known);
  int64_t offset = 0;
  if (AofReader::IsRdb(head)) {
    // A base file, or the preamble of a log in one file. What a log says of keys that have expired
    // by now depends on their being there.
    ResumedSource whole(std::exchange(head, {}), source);
    const uint64_t size = static_cast<uint64_t>(file->size());
    const int64_t before = figures().loading_done_bytes;
    auto error = LoadRdbFrom(whole, size, path, {.drop_expired = false}, &head, stop);
    if (error) return error;
    offset = figures().loading_done_bytes - before;
  }
  ResumedSource commands(std::move(head), source);
  auto error = ReplayCommands(commands, offset, path, last, stop);
  return !error && source.error() ? source.error().text() : error;
}

std::optional<std::string> Persistence::ReplayCommands(ByteSource& source, int64_t offset,
                                                       const std::string& path, bool last,
                                                       absl::FunctionRef<bool()> stop) {
  AofReader reader(source, offset);
  LogReplay replay(server_);
  const bool running = journal_.file().state() != AppendOnlyFile::State::kOff;
  const int64_t before = figures().loading_done_bytes - offset;
  for (int count = 0;; ++count) {
    if (count % kCommandsPerLook == 0) {
      NoteProgress(before + reader.offset());
      if (stop()) return std::string(kStopped);
    }
    switch (reader.Next()) {
      case AofReader::Status::kCommand:
        // Of a running server the scripts are what they are, whatever the log has seen.
        if (running && EqualsIgnoreCase(reader.arguments()[0], "script")) break;
        if (auto error = replay.Run(reader.arguments())) {
          return absl::StrCat("The append only file ", path, " can't be loaded: offset ",
                              reader.command_offset(), ": ", *error);
        }
        break;
      case AofReader::Status::kEnd:
        NoteProgress(before + reader.offset());
        return std::nullopt;
      case AofReader::Status::kTruncated:
        return CutLog(path, reader.whole_offset(), last);
      case AofReader::Status::kFormatError:
      case AofReader::Status::kRdbPreamble:
        return DamagedLog(path, reader);
    }
  }
}

std::optional<std::string> Persistence::CutLog(const std::string& path, int64_t offset, bool last) {
  LogWarning("!!! Warning: short read while loading the AOF file {}!!!", path);
  if (!last || !server_.settings().aof_load_truncated) {
    return absl::StrCat(
        "Unexpected end of file reading the append only file ", path,
        ". You can: 1) Make a backup of your AOF file, then use cloakroom-check-aof --fix "
        "<manifest>. 2) Set 'aof-load-truncated' to yes and restart the server.");
  }
  LogWarning("AOF {} loaded anyway because aof-load-truncated is enabled", path);
  LogWarning("Truncating the AOF {} at offset {}", path, offset);
  if (FileError error = files_.Truncate(path, offset)) return error.text();
  return std::nullopt;
}

std::optional<std::string> Persistence::ResumeLog() {
  AppendOnlyFile& log = journal_.file();
  AofManifest manifest = LoadManifest().manifest;
  std::optional<AppendOnlyFile::NewBase> base;
  FileError error;
  if (manifest.empty()) {
    LogNotice("Creating the append-only log");
    error = log.MakeDirectory();
    SnapshotFileOptions options = LogBaseOptions();
    options.gates_closed = true;
    if (!error) {
      const SnapshotFileResult result = WriteSnapshotFile(
          server_.keyspace(), files_, options,
          [&] { return AuxFieldsOf(server_, /*log_base=*/true); }, [] { return false; });
      if (result.error) return absl::StrCat("Can't create the append-only log: ", *result.error);
    }
    base = {options.path, !options.as_commands};
  }
  if (!error) error = log.Open(std::move(manifest), base);
  if (error) return absl::StrCat("Can't open the append-only log for writing: ", error.text());
  journal_.Attach();
  return std::nullopt;
}

bool Persistence::Reload(const ReloadOptions& options) {
  TakeOver();
  Hold hold(server_.keyspace().background_slot());
  CloseGates(hold);
  const bool log_on = journal_.on();
  bool saved = true;
  if (options.save && !options.from_log) saved = SaveAlone();
  std::optional<std::string> error;
  if (saved) {
    if (options.from_log && log_on) {
      if (FileError failed = journal_.file().Flush()) error = failed.text();
    }
    BeginLoading();
    // What is loaded is no change.
    if (log_on) server_.keyspace().set_change_log(nullptr);
    if (options.flush && !error) server_.keyspace().Discard();
    if (!error) error = LoadAll(options, [] { return false; });
    if (log_on) server_.keyspace().set_change_log(&journal_);
    EndLoading();
    if (error) LogWarning("{}", *error);
  }
  EndWork();
  return saved && !error;
}

}  // namespace cloakroom
