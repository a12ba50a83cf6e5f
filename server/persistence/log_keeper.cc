#include "server/persistence/log_keeper.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/files/file_status.h"
#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/persistence/change_journal.h"
#include "server/persistence/load_words.h"
#include "server/persistence/snapshot_options.h"
#include "storage/base/clock.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// How long after a failure a wanted log is tried again.
constexpr int64_t kLogRetryMs = 5000;

/// After this many failures in a row, a rewrite is retried by itself only after a minute, then two,
/// four, ... up to an hour, as in Redis.
constexpr int64_t kFailuresBeforeDelay = 3;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kLongestDelayMs = 60 * kMinuteMs;

}  // namespace

LogKeeper::LogKeeper(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal)
    : server_(server), files_(files), work_(work), journal_(journal) {
  server_.config().Subscribe({"appendonly"}, [this] { return FollowAppendOnly(); });
}

bool LogKeeper::wanted() const { return server_.config().Text("appendonly") == "yes"; }

bool LogKeeper::WaitsForFirstBase() const {
  return wanted() && work_.under_way() == BackgroundWork::Kind::kRewrite &&
         journal_.info().state != AppendOnlyFile::State::kOn;
}

// ---- on and off

absl::Status LogKeeper::FollowAppendOnly() {
  // Off at once, as in Redis; Tick closes the files.
  if (!wanted() && journal_.on()) journal_.Detach();
  if (!wanted() || journal_.on()) return absl::OkStatus();
  if (absl::Status status = journal_.file().Probe(); !status.ok()) {
    LogWarning("The append-only log can't be begun: {}", MessageOf(status));
    return absl::UnavailableError("Unable to turn on AOF. Check server logs.");
  }
  // Tick would do it, but INFO must already show that a rewrite is coming.
  if (Begin() != BackgroundWork::Kind::kNone) Schedule();
  return absl::OkStatus();
}

void LogKeeper::Suspend() {
  {
    MutexLock lock(mutex_);
    suspended_ = true;
  }
  Stop();
}

void LogKeeper::BeginAnew() {
  {
    MutexLock lock(mutex_);
    if (!std::exchange(suspended_, false)) return;
  }
  if (wanted() && Begin() != BackgroundWork::Kind::kNone) Schedule();
}

void LogKeeper::Stop() {
  // Does not close the gates, which would mean waiting for a busy script: what commands under way
  // still append is dropped.
  journal_.Detach();
  Close();
}

void LogKeeper::Close() {
  if (absl::Status status = journal_.file().Close(); !status.ok()) {
    LogWarning("The end of the append-only log could not be written: {}", MessageOf(status));
  }
}

absl::StatusOr<AofDirectory::Loaded> LogKeeper::LoadManifest() {
  const AppendOnlyFile::Options& options = journal_.file().options();
  auto loaded = AofDirectory::Load(files_, options.directory, options.name);
  return loaded.ok() ? std::move(loaded) : UnreadableLogFolder(loaded.status());
}

absl::Status LogKeeper::Resume() {
  AppendOnlyFile& log = journal_.file();
  auto loaded = LoadManifest();
  if (!loaded.ok()) return loaded.status();
  std::optional<AppendOnlyFile::NewBase> base;
  absl::Status made;
  if (loaded->manifest.empty()) {
    LogNotice("Creating the append-only log");
    made = log.MakeDirectory();
    const SnapshotPlace place = BasePlace();
    SnapshotOptions options = BaseOptions();
    options.gates_closed = true;
    if (made.ok()) {
      const auto written = WriteSnapshotFile(
          server_.keyspace(), files_, place, options,
          [&] { return HeadOf(server_, /*log_base=*/true); }, [] { return false; });
      if (!written.ok()) {
        return absl::Status(
            written.status().code(),
            absl::StrCat("Can't create the append-only log: ", written.status().message()));
      }
    }
    base = {place.path, !options.as_commands};
  }
  if (made.ok()) made = log.Open(std::move(loaded->manifest), base);
  if (!made.ok()) {
    return absl::Status(
        made.code(), absl::StrCat("Can't open the append-only log for writing: ", made.message()));
  }
  journal_.Attach();
  return absl::OkStatus();
}

// ---- rewriting

BackgroundWork::Kind LogKeeper::Begin() {
  const int64_t now_ms = server_.clock().NowMs();
  MutexLock lock(mutex_);
  const BackgroundWork::Kind under_way =
      work_.Begin(BackgroundWork::Kind::kRewrite, [this] { return Run(); }, nullptr);
  if (under_way != BackgroundWork::Kind::kNone) return under_way;
  last_try_ms_ = now_ms;
  figures_.scheduled = false;
  return BackgroundWork::Kind::kNone;
}

absl::Status LogKeeper::Run() {
  const int64_t started_ms = server_.clock().NowMs();
  LogNotice("Background append only file rewriting started");
  absl::Status status = Rewrite();
  if (status.ok()) {
    LogNotice("Background AOF rewrite finished successfully");
  } else {
    LogWarning("Background AOF rewrite failed: {}", MessageOf(status));
    // A log without a base does not count.
    if (journal_.file().state() == AppendOnlyFile::State::kWaitForBase) Stop();
  }
  if (!status.ok() && work_.given_up()) {
    LogNotice("Background saving given up");
    return absl::CancelledError("given up");
  }
  MutexLock lock(mutex_);
  figures_.last_ok = status.ok();
  figures_.last_took_s = (server_.clock().NowMs() - started_ms) / 1000;
  figures_.rewrites += status.ok() ? 1 : 0;
  figures_.failures = status.ok() ? 0 : figures_.failures + 1;
  return status;
}

absl::Status LogKeeper::Rewrite() {
  AppendOnlyFile& log = journal_.file();
  // The log was turned off and on again before its files were closed.
  if (!journal_.on() && log.state() != AppendOnlyFile::State::kOff) Stop();
  const bool begins = log.state() == AppendOnlyFile::State::kOff;
  const bool keeps_log = !begins || wanted();
  if (absl::Status status = Prepare(begins, keeps_log); !status.ok()) return status;
  const SnapshotPlace place = BasePlace();
  SnapshotOptions options = BaseOptions();
  options.log_follows = keeps_log;
  log.set_fsync_paused(server_.settings().no_appendfsync_on_rewrite);
  const auto written = WriteSnapshotFile(
      server_.keyspace(), files_, place, options,
      [&] {
        if (keeps_log) journal_.Switch();
        // Unless the log has been turned off since.
        if (keeps_log && begins && wanted()) journal_.Attach();
        return HeadOf(server_, /*log_base=*/true);
      },
      [this] { return work_.given_up(); });
  log.set_fsync_paused(false);
  if (!written.ok()) {
    if (keeps_log) log.CancelSwitch();
    return written.status();
  }
  return Install(place, !options.as_commands, keeps_log);
}

absl::Status LogKeeper::Prepare(bool begins, bool keeps_log) {
  AppendOnlyFile& log = journal_.file();
  if (begins) {
    // A file of a Redis before 7 is taken over only at the start of a server.
    const AofDirectory directory(files_, log.options().directory, log.options().name);
    auto manifest = directory.ReadManifest();
    if (absl::IsNotFound(manifest.status())) manifest = AofManifest();
    const absl::Status whole = manifest.ok() ? directory.FindFiles(*manifest) : manifest.status();
    if (ErrnoOf(whole) != 0) return whole;
    if (!whole.ok()) LogWarning("The old append-only log is replaced: {}", MessageOf(whole));
    log.Adopt(manifest.ok() ? *std::move(manifest) : AofManifest());
  }
  return keeps_log ? log.PrepareSwitch() : log.MakeDirectory();
}

absl::Status LogKeeper::Install(const SnapshotPlace& place, bool is_rdb, bool keeps_log) {
  AppendOnlyFile& log = journal_.file();
  // The base may lack keys that were flushed or evicted since the instant: the log must say so
  // before the base counts.
  absl::Status status = keeps_log ? log.Flush() : absl::OkStatus();
  if (!status.ok()) {
    log.CancelSwitch();
  } else {
    const AppendOnlyFile::NewBase base{place.path, is_rdb};
    status = keeps_log ? log.InstallBase(base) : log.InstallLoneBase(base);
  }
  if (!status.ok()) {
    (void)files_.Remove(place.path);  // by now the base has its own name, or is useless
    return status;
  }
  if (absl::Status removed = log.RemoveHistory(); !removed.ok()) {
    LogWarning("Old files of the append-only log could not be removed: {}", MessageOf(removed));
  }
  return absl::OkStatus();
}

SnapshotPlace LogKeeper::BasePlace() const {
  const AppendOnlyFile& log = journal_.file();
  const std::string suffix = std::to_string(getpid()) + ".aof";
  return {.path = log.PathOf("temp-rewriteaof-bg-" + suffix),
          .temporary_path = log.PathOf("temp-rewriteaof-" + suffix),
          .incremental_fsync = server_.settings().aof_rewrite_incremental_fsync};
}

SnapshotOptions LogKeeper::BaseOptions() const {
  SnapshotOptions options = SnapshotOptionsFrom(server_);
  options.as_commands = !server_.settings().aof_use_rdb_preamble;
  return options;
}

// ---- when

void LogKeeper::Schedule() {
  MutexLock lock(mutex_);
  figures_.scheduled = true;
}

bool LogKeeper::Tick() {
  if (!journal_.on() && journal_.file().state() != AppendOnlyFile::State::kOff) {
    BackgroundWork::TakeOver turn(work_);
    turn.Wait();
    Stop();
    return true;
  }
  const bool by_itself = (journal_.WantsRewrite() || IsMissing()) && MayRewriteByItself();
  if (!figures().scheduled && !by_itself) return false;
  (void)Begin();
  return true;
}

/// Whether the log was turned on while the server ran, and could not be begun yet.
bool LogKeeper::IsMissing() const {
  MutexLock lock(mutex_);
  return wanted() && !suspended_ && !journal_.on() &&
         server_.clock().NowMs() - last_try_ms_ > kLogRetryMs;
}

/// Whether an automatic rewrite may be tried now.
bool LogKeeper::MayRewriteByItself() const {
  MutexLock lock(mutex_);
  const int64_t delays = figures_.failures - kFailuresBeforeDelay;
  if (delays < 0) return true;
  const int64_t delay_ms = std::min(kMinuteMs << std::min<int64_t>(delays, 6), kLongestDelayMs);
  return server_.clock().NowMs() - last_try_ms_ >= delay_ms;
}

LogKeeper::Figures LogKeeper::figures() const {
  MutexLock lock(mutex_);
  return figures_;
}

}  // namespace cloakroom
