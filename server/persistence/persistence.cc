#include "server/persistence/persistence.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/context/supervisor.h"
#include "server/log/log.h"
#include "server/persistence/snapshot_options.h"
#include "storage/keyspace/hold.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {
namespace {

/// After a snapshot has failed, save points wait so long before they try again.
constexpr int64_t kRetryMs = 5000;

/// Rewrites that fail so often in a row are tried again by themselves after a minute only, then
/// two, four, ... up to an hour, as in Redis.
constexpr int64_t kFailuresBeforeDelay = 3;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kLongestDelayMs = 60 * kMinuteMs;

constexpr char kSnapshotRefusal[] =
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is configured "
    "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error "
    "option). Please check the Redis logs for details about the RDB error.";

}  // namespace

Persistence::Persistence(Server& server, Files& files, ApplierFactory appliers)
    : server_(server), files_(files), appliers_(std::move(appliers)), journal_(server, files) {
  figures_.last_save_s = server.clock().NowMs() / 1000;
  FollowSettings();
}

Persistence::~Persistence() { stopping_ = true; }

void Persistence::FollowSettings() {
  server_.config().Subscribe({"save", "stop-writes-on-bgsave-error"}, [this] {
    UpdateRefusal();
    return std::string();
  });
  server_.config().Subscribe({"appendonly"}, [this] { return FollowAppendOnly(); });
  server_.config().Subscribe({"dir"}, [this] { return FollowDirectory(); });
}

std::string Persistence::FollowAppendOnly() {
  // Off at once, as in Redis; Tick closes the files.
  if (!WantsLog() && journal_.on()) journal_.Detach();
  if (!WantsLog() || journal_.on()) return "";
  if (FileError error = journal_.file().Probe()) {
    LogWarning("The append-only log can't be begun: {}", error.text());
    return "Unable to turn on AOF. Check server logs.";
  }
  // Tick would see to it; but who asks INFO now must see that something is to come.
  if (BeginRewrite() != Work::kNone) ScheduleRewrite();
  return "";
}

/// The snapshots to come are written there, and the log from its next rewrite on.
std::string Persistence::FollowDirectory() {
  MutexLock lock(mutex_);
  // Its files have relative names.
  if (figures_.under_way != Work::kNone) {
    return "a save or a rewrite is under way, try again when it is done";
  }
  const FileError error = files_.EnterDirectory(server_.config().Text("dir"));
  return error ? std::strerror(error.code) : "";
}

Persistence::Work Persistence::under_way() const {
  MutexLock lock(mutex_);
  return figures_.under_way;
}

Persistence::Work Persistence::BeginSnapshot(Done done, Begun begun) {
  return Begin(Work::kSnapshot, std::move(done), std::move(begun));
}

Persistence::Work Persistence::BeginRewrite(Done done) {
  return Begin(Work::kRewrite, std::move(done), nullptr);
}

Persistence::Work Persistence::Begin(Work work, Done done, Begun begun) {
  const int64_t now_ms = server_.clock().NowMs();
  MutexLock lock(mutex_);
  if (figures_.under_way != Work::kNone) return figures_.under_way;
  figures_.under_way = work;
  work_started_ms_ = now_ms;
  if (work == Work::kSnapshot) {
    last_try_ms_ = now_ms;
    figures_.snapshot_scheduled = false;
  } else {
    last_rewrite_try_ms_ = now_ms;
    figures_.rewrite_scheduled = false;
  }
  thread_.WaitUntilIdle();  // what is left of the work before: a return
  thread_.Run([this, work, done = std::move(done), begun = std::move(begun)] {
    RunWork(work, done, begun);
  });
  return Work::kNone;
}

void Persistence::RunWork(Work work, const Done& done, const Begun& begun) {
  const int64_t started_ms = server_.clock().NowMs();
  bool told = !begun;
  auto tell = [&] {
    if (!std::exchange(told, true)) begun();
  };
  const bool ok =
      work == Work::kSnapshot ? WriteSnapshot(/*gates_closed=*/false, tell) : RewriteLog();
  tell();  // a snapshot that failed before
  const int64_t took_ms = server_.clock().NowMs() - started_ms;
  if (!ok && GivenUp()) {
    // Given up for one that is made while everybody waits; the disk is not to blame.
    LogNotice("Background saving given up");
  } else if (work == Work::kSnapshot) {
    NoteSnapshot(ok, took_ms);
  } else {
    MutexLock lock(mutex_);
    figures_.last_rewrite_ok = ok;
    figures_.last_rewrite_took_s = took_ms / 1000;
    figures_.rewrites += ok ? 1 : 0;
    figures_.rewrite_failures = ok ? 0 : figures_.rewrite_failures + 1;
  }
  EndWork();
  if (done) done(ok);
}

bool Persistence::WriteSnapshot(bool gates_closed, absl::FunctionRef<void()> begun,
                                absl::FunctionRef<void()> meanwhile) {
  if (gates_closed) {
    LogNotice("Saving the snapshot while everybody waits");
  } else {
    LogNotice("Background saving started");
  }
  int64_t changes = 0;
  SnapshotFileOptions options = SnapshotOptionsFrom(server_);
  options.gates_closed = gates_closed;
  options.path = server_.config().Text("dbfilename");
  options.temporary_path = "temp-" + std::to_string(getpid()) + ".rdb";
  journal_.file().set_fsync_paused(server_.settings().no_appendfsync_on_rewrite);
  SnapshotFileResult result;
  do {
    if (result.begin_again) LogNotice("Background saving begins again: {}", *result.error);
    result = WriteSnapshotFile(
        server_.keyspace(), files_, options,
        [&] {
          changes = server_.keyspace().changes();
          begun();
          return AuxFieldsOf(server_, /*log_base=*/false);
        },
        [&] {
          if (gates_closed) TellStillAtWork();
          meanwhile();
          return GivenUp();
        });
  } while (result.begin_again);
  journal_.file().set_fsync_paused(false);
  if (result.error) {
    LogWarning("Error trying to save the DB: {}", *result.error);
    return false;
  }
  saved_changes_ = changes;
  LogNotice("DB saved on disk: {} keys, {} bytes", result.keys, result.bytes);
  return true;
}

/// While the main thread saves there is no heartbeat.
void Persistence::TellStillAtWork() {
  const int64_t now_ms = server_.clock().NowMs();
  MutexLock lock(mutex_);
  if (now_ms - last_progress_ms_ < 1000) return;
  last_progress_ms_ = now_ms;
  TellSupervisor(kStillAtWork);
}

void Persistence::NoteSnapshot(bool ok, int64_t took_ms) {
  {
    MutexLock lock(mutex_);
    figures_.last_snapshot_ok = ok;
    figures_.last_snapshot_took_s = took_ms / 1000;
    if (ok) {
      figures_.last_save_s = server_.clock().NowMs() / 1000;
      figures_.snapshots += 1;
    }
  }
  ok ? LogNotice("Background saving terminated with success")
     : LogWarning("Background saving error");
  UpdateRefusal();
}

void Persistence::ScheduleSnapshot() {
  MutexLock lock(mutex_);
  figures_.snapshot_scheduled = true;
}

void Persistence::ScheduleRewrite() {
  MutexLock lock(mutex_);
  figures_.rewrite_scheduled = true;
}

void Persistence::NoteFlush() {
  if (HasSavePoints()) ScheduleSnapshot();
}

bool Persistence::HasSavePoints() const { return !server_.config().Words("save").empty(); }

void Persistence::UpdateRefusal() {
  const bool snapshots_matter = server_.settings().stop_writes_on_bgsave_error && HasSavePoints();
  MutexLock lock(mutex_);
  refuses_writes_ = (snapshots_matter && !figures_.last_snapshot_ok) || !journal_.healthy();
}

/// Looks again, so that nobody is refused once the disk takes what is written.
bool Persistence::StillRefusesWrites() {
  UpdateRefusal();
  return refuses_writes_.load(std::memory_order_relaxed);
}

std::string Persistence::WriteRefusal() const {
  return journal_.healthy() ? kSnapshotRefusal : journal_.Refusal();
}

bool Persistence::WantsLog() const { return server_.config().Text("appendonly") == "yes"; }

SnapshotFileOptions Persistence::LogBaseOptions() {
  AppendOnlyFile& log = journal_.file();
  const std::string suffix = std::to_string(getpid()) + ".aof";
  SnapshotFileOptions options = SnapshotOptionsFrom(server_);
  options.incremental_fsync = server_.settings().aof_rewrite_incremental_fsync;
  options.as_commands = !server_.settings().aof_use_rdb_preamble;
  options.temporary_path = log.PathOf("temp-rewriteaof-" + suffix);
  options.path = log.PathOf("temp-rewriteaof-bg-" + suffix);
  return options;
}

bool Persistence::RewriteLog() {
  LogNotice("Background append only file rewriting started");
  std::optional<std::string> failure = RewriteLogOrError();
  if (!failure) {
    LogNotice("Background AOF rewrite finished successfully");
    return true;
  }
  LogWarning("Background AOF rewrite failed: {}", *failure);
  // A log that has no base yet is none.
  if (journal_.file().state() == AppendOnlyFile::State::kWaitForBase) StopLog();
  return false;
}

std::optional<std::string> Persistence::RewriteLogOrError() {
  AppendOnlyFile& log = journal_.file();
  // Switched off and on again before its files were closed.
  if (!journal_.on() && log.state() != AppendOnlyFile::State::kOff) StopLog();
  const bool begins = log.state() == AppendOnlyFile::State::kOff;
  if (begins) {
    // A file of Redis before 7 is taken over at the start of a server only.
    AofDirectory::Loaded loaded = AofDirectory::Load(files_, log.options().directory,
                                                     log.options().name, /*old_directory=*/"");
    if (loaded.file_error) return loaded.error;
    if (!loaded.error.empty()) LogWarning("The old append-only log is replaced: {}", loaded.error);
    log.Adopt(std::move(loaded.manifest));
  }
  // Without a log BGREWRITEAOF leaves a base and nothing else, as in Redis.
  const bool keeps_log = !begins || WantsLog();
  if (FileError error = keeps_log ? log.PrepareSwitch() : log.MakeDirectory()) return error.text();
  SnapshotFileOptions options = LogBaseOptions();
  options.log_follows = keeps_log;
  log.set_fsync_paused(server_.settings().no_appendfsync_on_rewrite);
  const SnapshotFileResult result = WriteSnapshotFile(
      server_.keyspace(), files_, options,
      [&] {
        if (keeps_log) journal_.Switch();
        // Unless it has been turned off since.
        if (keeps_log && begins && WantsLog()) journal_.Attach();
        return AuxFieldsOf(server_, /*log_base=*/true);
      },
      [this] { return GivenUp(); });
  log.set_fsync_paused(false);
  if (result.error) {
    if (keeps_log) log.CancelSwitch();
    return result.error;
  }
  // The base lacks what was flushed or evicted since the instant: the log must say so before the
  // base counts.
  if (FileError error = keeps_log ? log.Flush() : FileError()) {
    log.CancelSwitch();
    (void)files_.Remove(options.path);
    return error.text();
  }
  const AppendOnlyFile::NewBase base{options.path, !options.as_commands};
  if (FileError error = keeps_log ? log.InstallBase(base) : log.InstallLoneBase(base)) {
    (void)files_.Remove(options.path);  // a base under its own name by now, or of no use
    return error.text();
  }
  if (FileError error = log.RemoveHistory()) {
    LogWarning("Old files of the append-only log could not be removed: {}", error.text());
  }
  return std::nullopt;
}

void Persistence::StopLog() {
  // Without closing gates, for which a busy script would have to be waited for: what commands under
  // way still append is dropped.
  journal_.Detach();
  if (FileError error = journal_.file().Close()) {
    LogWarning("The end of the append-only log could not be written: {}", error.text());
  }
}

bool Persistence::SavePointReached() const {
  const int64_t now_ms = server_.clock().NowMs();
  const int64_t changes = changes_since_save();
  int64_t since_s;
  {
    MutexLock lock(mutex_);
    if (!figures_.last_snapshot_ok && now_ms - last_try_ms_ <= kRetryMs) return false;
    since_s = now_ms / 1000 - figures_.last_save_s;
  }
  const std::vector<std::string> words = server_.config().Words("save");
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    const int64_t seconds = std::stoll(words[i]);
    const int64_t wanted = std::stoll(words[i + 1]);
    if (changes < wanted || since_s <= seconds) continue;
    LogNotice("{} changes in {} seconds. Saving...", wanted, seconds);
    return true;
  }
  return false;
}

/// It was asked for while the server ran, and could not be begun yet.
bool Persistence::LogIsMissing() const {
  MutexLock lock(mutex_);
  return WantsLog() && !journal_.on() && server_.clock().NowMs() - last_rewrite_try_ms_ > kRetryMs;
}

/// Whether a rewrite that nobody asked for may be tried now.
bool Persistence::MayRewriteByItself() const {
  MutexLock lock(mutex_);
  const int64_t delays = figures_.rewrite_failures - kFailuresBeforeDelay;
  if (delays < 0) return true;
  const int64_t delay_ms = std::min(kMinuteMs << std::min<int64_t>(delays, 6), kLongestDelayMs);
  return server_.clock().NowMs() - last_rewrite_try_ms_ >= delay_ms;
}

void Persistence::Tick() {
  UpdateRefusal();
  bool snapshot;
  bool rewrite;
  {
    MutexLock lock(mutex_);
    if (figures_.under_way != Work::kNone) return;
    snapshot = figures_.snapshot_scheduled;
    rewrite = figures_.rewrite_scheduled;
  }
  if (!journal_.on() && journal_.file().state() != AppendOnlyFile::State::kOff) {
    TakeOver();
    StopLog();
    EndWork();
  } else if (rewrite || ((journal_.WantsRewrite() || LogIsMissing()) && MayRewriteByItself())) {
    BeginRewrite();
  } else if (snapshot || SavePointReached()) {
    BeginSnapshot();
  }
}

void Persistence::TakeOver() {
  stopping_ = true;
  while (true) {
    thread_.WaitUntilIdle();
    MutexLock lock(mutex_);
    if (figures_.under_way != Work::kNone) continue;
    figures_.under_way = Work::kSnapshot;
    work_started_ms_ = server_.clock().NowMs();
    break;
  }
  stopping_ = false;
}

bool Persistence::TryTakeOver() {
  if (end_took_over_) return true;
  stopping_ = true;
  MutexLock lock(mutex_);
  if (figures_.under_way != Work::kNone) return false;
  figures_.under_way = Work::kSnapshot;
  work_started_ms_ = server_.clock().NowMs();
  end_took_over_ = true;
  stopping_ = false;
  return true;
}

bool Persistence::TryCloseGates() {
  if (last_hold_ != nullptr) return true;
  auto hold = std::make_unique<Hold>(server_.keyspace().background_slot());
  // Ahead of all who queue: they are to be served no more.
  if (!hold->TryClose(server_.keyspace().databases(), /*queued=*/true)) return false;
  last_hold_ = std::move(hold);
  return true;
}

void Persistence::EndWork() {
  MutexLock lock(mutex_);
  figures_.under_way = Work::kNone;
}

bool Persistence::SaveAlone(absl::FunctionRef<void()> meanwhile) {
  const int64_t started_ms = server_.clock().NowMs();
  const bool ok = WriteSnapshot(
      /*gates_closed=*/true, [] {}, meanwhile);
  NoteSnapshot(ok, server_.clock().NowMs() - started_ms);
  return ok;
}

bool Persistence::WaitsForFirstBase() const {
  MutexLock lock(mutex_);
  return WantsLog() && figures_.under_way == Work::kRewrite &&
         journal_.info().state != AppendOnlyFile::State::kOn;
}

Persistence::EndStep Persistence::PrepareToEnd(ShutdownSave ending, bool force,
                                               absl::FunctionRef<void()> meanwhile) {
  if (!end_begun_ && WaitsForFirstBase()) {
    LogWarning("Writing initial AOF. {}", force ? "Exit anyway." : "Can't exit.");
    if (!force) return EndStep::kRefused;
  }
  end_begun_ = true;
  const bool saves = ending == ShutdownSave::kSave ||
                     (ending == ShutdownSave::kDefault && HasSavePoints() && !loading());
  // The walk that is given up needs the gates open.
  if (!TryTakeOver()) return EndStep::kNotYet;
  // Without saving there is nothing to wait for: a script that never ends must not hinder it.
  if ((saves || journal_.on()) && !TryCloseGates()) return EndStep::kNotYet;
  // Saving may be forgone while it is under way.
  if (saves && !forgoes_saving_ && !SaveAlone(meanwhile) && !force && !forgoes_saving_) {
    LogWarning("Error trying to save the DB, can't exit.");
    last_hold_.reset();
    end_begun_ = end_took_over_ = false;
    EndWork();
    return EndStep::kRefused;
  }
  if (FileError error = journal_.file().Close()) {
    LogWarning("The end of the append-only log could not be written: {}", error.text());
  }
  return EndStep::kDone;
}

int64_t Persistence::changes_since_save() const {
  return server_.keyspace().changes() - saved_changes_;
}

Persistence::Figures Persistence::figures() const {
  MutexLock lock(mutex_);
  Figures figures = figures_;
  // Work that was given up has not come to its end: whoever takes over follows at once.
  if (stopping_ && figures.under_way == Work::kNone) figures.under_way = Work::kSnapshot;
  if (figures.under_way != Work::kNone) {
    figures.under_way_s = (server_.clock().NowMs() - work_started_ms_) / 1000;
    figures.keys_done = static_cast<int64_t>(server_.keyspace().snapshot().keys_done());
    figures.keys_total = static_cast<int64_t>(server_.keyspace().snapshot().keys_total());
  }
  return figures;
}

}  // namespace cloakroom
