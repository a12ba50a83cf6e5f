// Persistence, as far as it loads: at the start of the server, and for DEBUG RELOAD.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/aof/aof_reader.h"
#include "replication/files/file_source.h"
#include "replication/rdb/rdb_loader.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/context/supervisor.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/persistence/snapshot_options.h"
#include "storage/access/flush.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {
namespace {

constexpr std::string_view kStopped = "Stopped while loading the data.";
/// Commands between two looks at the clock and the stop.
constexpr int kCommandsPerLook = 1024;
/// What the log says of a long load.
constexpr int64_t kProgressMs = 2000;

/// What to do about damage in a file of the log that others follow: to cut it would not do.
constexpr char kNotTheLast[] =
    ". Fatal error: it is not the last file of the log, and those behind it build on what is "
    "missing. Restore the folder from a backup; or take the files behind it out of the manifest, "
    "which loses what they hold.";

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

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

std::string_view AdviceOn(RdbCause cause) {
  switch (cause) {
    case RdbCause::kUnsupported:
      return "The file looks sound and stays as it is, but this version of Cloakroom does not hold "
             "all that is in it: load it with a server that does. --repair yes would leave out "
             "what does not fit, and the next save would lose it.";
    case RdbCause::kSettings:
      return "The file looks sound: correct the setting.";
    case RdbCause::kDamage:
      break;
  }
  return "Restore it from a backup; or look at it with cloakroom-check-rdb, and start "
         "with --repair yes to load what can be read.";
}

std::string Damaged(const std::string& path, const RdbError& error) {
  std::string text = error.Text();
  if (text.ends_with('.')) text.pop_back();  // some of Redis' words end with one
  return absl::StrCat("The RDB file ", path, " can't be loaded: ", text, ". ",
                      Absl(AdviceOn(error.cause)));
}

std::string DamagedLog(const std::string& path, bool last, const AofReader& reader) {
  return absl::StrCat(
      "Bad file format reading the append only file ", path, " at offset ", reader.offset(), ": ",
      reader.error(),
      last ? ". Make a backup of the log, then use cloakroom-check-aof --fix <manifest>."
           : kNotTheLast);
}

std::string_view AdviceOn(const FileError& error) {
  switch (error.code) {
    case EACCES:
    case EPERM:
      return "Mend the owner or mode of the file, or of a folder above it.";
    case EISDIR:
      return "A folder is in its place: move it away.";
    case EIO:
      return "Nothing was changed. Start again when the disk can be read, or restore a backup.";
    default:
      return "Nothing was changed. See where the path leads.";
  }
}

std::string UnreadableSnapshot(const FileError& error) {
  return absl::StrCat("Fatal error loading the DB: ", std::strerror(error.code), " (", error.what,
                      "). Exiting. ", Absl(AdviceOn(error)));
}

std::string UnreadableLog(const std::string& path, const FileError& error) {
  return absl::StrCat("Unrecoverable error reading the append only file ", path, ": ",
                      std::strerror(error.code), ". ", Absl(AdviceOn(error)));
}

std::string UnreadableFolder(const AofDirectory::Loaded& loaded) {
  const FileError& error = loaded.file_error;
  return absl::StrCat(
      "The append-only log can't be read: ", loaded.error, ". ",
      error ? Absl(AdviceOn(error)) : "Mend the manifest, or restore the folder from a backup.");
}

int64_t KeysOf(Keyspace& keyspace) {
  size_t keys = 0;
  for (int i = 0; i < keyspace.database_count(); ++i) keys += keyspace.db(i).size();
  return static_cast<int64_t>(keys);
}

}  // namespace

void Persistence::BeginLoading() {
  MutexLock lock(mutex_);
  figures_.loading = true;
  figures_.loading_started_s = server_.clock().NowMs() / 1000;
  figures_.loading_done_bytes = figures_.loading_total_bytes = 0;
  figures_.loaded_keys = figures_.expired_while_loading = figures_.lost_while_loading = 0;
  loading_ = true;
}

void Persistence::EndLoading(bool ok) {
  // What was loaded counts for maxmemory before the first write comes.
  MemoryMeter::PublishAll();
  MutexLock lock(mutex_);
  figures_.loading = false;
  loading_ = false;
  const int64_t lost = ok ? figures_.lost_while_loading : 0;
  const bool log_on = journal_.on();
  // Otherwise the next start would need the repair again.
  if (lost > 0 && log_on) figures_.rewrite_scheduled = true;
  saved_changes_ = server_.keyspace().changes() - (log_on ? 0 : lost);
  if (lost == 0) return;
  LogWarning("{}", log_on ? "The append-only log is rewritten now, so that it holds what could be "
                            "read and needs no repair again"
                          : "The next save takes the place of the damaged file; until then the "
                            "start needs --repair yes again");
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
  hold.WaitAndCloseAll(server_.keyspace());
  loading_hold_ = &hold;
  const int64_t started_us = server_.clock().MonotonicUs();
  const bool from_log = server_.config().Text("appendonly") == "yes";
  std::optional<std::string> error = LoadAll({.from_log = from_log}, stop);
  if (!error) {
    const double seconds =
        static_cast<double>(server_.clock().MonotonicUs() - started_us) / 1'000'000;
    if (figures().loading_total_bytes > 0) {
      LogNotice("DB loaded from {}: {:.3f} seconds, {} keys",
                from_log ? "append only file" : "disk", seconds, KeysOf(server_.keyspace()));
    }
    if (from_log) error = ResumeLog();
  }
  // Before the gates open: who waits for them must not save a part for the whole.
  if (error) load_failed_ = true;
  EndLoading(!error);
  return error;
}

std::optional<std::string> Persistence::LoadAll(const ReloadOptions& options,
                                                absl::FunctionRef<bool()> stop) {
  if (options.from_log) return LoadLog(stop);
  const std::string path = server_.config().Text("dbfilename");
  return path.empty() ? std::nullopt : LoadSnapshotFile(path, options.merge, stop);
}

std::optional<std::string> Persistence::LoadSnapshotFile(const std::string& path, bool merge,
                                                         absl::FunctionRef<bool()> stop) {
  std::unique_ptr<ReadableFile> file;
  if (FileError error = files_.OpenForRead(path, &file)) {
    if (!error.absent()) return UnreadableSnapshot(error);
    LogNotice("There is no {}, so no data to load", path);
    return std::nullopt;
  }
  {
    MutexLock lock(mutex_);
    figures_.loading_total_bytes = file->size();
  }
  FileSource source(*file);
  std::string rest;
  auto error =
      LoadRdbFrom(source, static_cast<uint64_t>(file->size()), path, {.merge = merge}, &rest, stop);
  // What was missing looks like damage.
  return source.error() ? UnreadableSnapshot(source.error()) : error;
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
  options.checksum = server_.settings().rdbchecksum;
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
    figures_.lost_while_loading += static_cast<int64_t>(result.lost);
    figures_.loading_done_bytes = before + static_cast<int64_t>(result.bytes);
  }
  if (result.stopped) return std::string(kStopped);
  if (result.error) return Damaged(path, *result.error);
  for (const RdbError& damage : result.damage) LogWarning("Lost: {}", damage.Text());
  if (result.lost > 0) {
    LogWarning("{} places of {} could not be read; the rest is loaded", result.lost, path);
  }
  LogNotice("Done loading RDB, keys loaded: {}, keys expired: {}{}.", result.keys, result.expired,
            result.empty > 0 ? absl::StrCat(", empty keys skipped: ", result.empty) : "");
  *rest = std::move(result.rest);
  return std::nullopt;
}

AofDirectory::Loaded Persistence::LoadManifest() {
  const AppendOnlyFile::Options& options = journal_.file().options();
  return AofDirectory::Load(files_, options.directory, options.name);
}

std::optional<std::string> Persistence::LoadLog(absl::FunctionRef<bool()> stop) {
  AofDirectory::Loaded loaded = LoadManifest();
  if (!loaded.error.empty()) return UnreadableFolder(loaded);
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
  if (FileError error = files_.OpenForRead(path, &file)) return UnreadableLog(path, error);
  FileSource source(*file);
  const LogPart part{.path = path, .source = source, .last = last};
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
    if (source.error()) return UnreadableLog(path, source.error());
    if (error) return error;
    offset = figures().loading_done_bytes - before;
  }
  ResumedSource commands(std::move(head), source);
  return ReplayCommands(commands, offset, part, stop);
}

std::optional<std::string> Persistence::ReplayCommands(ByteSource& commands, int64_t offset,
                                                       const LogPart& part,
                                                       absl::FunctionRef<bool()> stop) {
  AofReader reader(commands, offset);
  const std::unique_ptr<Applier> applier = appliers_(*loading_hold_);
  const bool running = journal_.file().state() != AppendOnlyFile::State::kOff;
  const int64_t before = figures().loading_done_bytes - offset;
  for (int count = 0;; ++count) {
    if (count % kCommandsPerLook == 0) {
      NoteProgress(before + reader.offset());
      if (stop()) return std::string(kStopped);
    }
    const AofReader::Status status = reader.Next();
    // However it looks: a disk that fails must not cost the log its end.
    if (status != AofReader::Status::kCommand && part.source.error()) {
      return UnreadableLog(part.path, part.source.error());
    }
    switch (status) {
      case AofReader::Status::kCommand:
        // Of a running server the scripts are what they are, whatever the log has seen.
        if (running && EqualsIgnoreCase(reader.arguments()[0], "script")) break;
        if (auto error = applier->Run(reader.arguments())) {
          return absl::StrCat("The append only file ", part.path, " can't be loaded: offset ",
                              reader.command_offset(), ": ", *error);
        }
        break;
      case AofReader::Status::kEnd:
        NoteProgress(before + reader.offset());
        return std::nullopt;
      case AofReader::Status::kTruncated:
        return CutLog(part, reader.whole_offset());
      case AofReader::Status::kFormatError:
      case AofReader::Status::kRdbPreamble:
        return DamagedLog(part.path, part.last, reader);
    }
  }
}

std::optional<std::string> Persistence::CutLog(const LogPart& part, int64_t offset) {
  const std::string& path = part.path;
  LogWarning("!!! Warning: short read while loading the AOF file {}!!!", path);
  if (!part.last) {
    return absl::StrCat("Unexpected end of file reading the append only file ", path, " behind ",
                        offset, kNotTheLast);
  }
  if (!server_.settings().aof_load_truncated) {
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
  AofDirectory::Loaded loaded = LoadManifest();
  if (!loaded.error.empty()) return UnreadableFolder(loaded);
  AofManifest manifest = std::move(loaded.manifest);
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
  hold.WaitAndCloseAll(server_.keyspace());
  loading_hold_ = &hold;
  // It came during the load, which was given up: what is there is a part.
  if (load_failed_) {
    EndWork();
    return false;
  }
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
    if (log_on) server_.keyspace().feed().set_log(nullptr);
    if (options.flush && !error) DiscardAll(server_.keyspace());
    if (!error) error = LoadAll(options, [] { return false; });
    if (log_on) server_.keyspace().feed().set_log(&journal_);
    EndLoading(!error);
    if (error) LogWarning("{}", *error);
  }
  EndWork();
  return saved && !error;
}

}  // namespace cloakroom
