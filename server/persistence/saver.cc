#include "server/persistence/saver.h"

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "replication/files/file_status.h"
#include "replication/rdb/snapshot_file.h"
#include "server/config/config_store.h"
#include "server/context/supervisor.h"
#include "server/log/log.h"
#include "server/persistence/change_journal.h"
#include "server/persistence/snapshot_options.h"
#include "server/persistence/write_health.h"
#include "storage/base/clock.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// How long save points wait after a failed snapshot.
constexpr int64_t kSaveRetryMs = 5000;
/// How often a supervisor is told that a save goes on while everybody waits.
constexpr int64_t kTellMs = 1000;

}  // namespace

Saver::Saver(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal,
             WriteHealth& health)
    : server_(server), files_(files), work_(work), journal_(journal), health_(health) {
  figures_.last_save_s = server.clock().NowMs() / 1000;
}

BackgroundWork::Kind Saver::Begin(BackgroundWork::Done done, Begun begun) {
  const int64_t now_ms = server_.clock().NowMs();
  MutexLock lock(mutex_);
  const BackgroundWork::Kind under_way = work_.Begin(
      BackgroundWork::Kind::kSnapshot, [this, begun = std::move(begun)] { return Run(begun); },
      std::move(done));
  if (under_way != BackgroundWork::Kind::kNone) return under_way;
  last_try_ms_ = now_ms;
  figures_.scheduled = false;
  return BackgroundWork::Kind::kNone;
}

absl::Status Saver::Run(const Begun& begun) {
  const int64_t started_ms = server_.clock().NowMs();
  bool told = !begun;
  auto tell = [&] {
    if (!std::exchange(told, true)) begun();
  };
  absl::Status status = Write(/*gates_closed=*/false, tell, [] {});
  tell();  // a snapshot that failed before its instant
  if (!status.ok() && work_.given_up()) {
    LogNotice("Background saving given up");
    return absl::CancelledError("given up");
  }
  Note(status, server_.clock().NowMs() - started_ms);
  return status;
}

absl::Status Saver::Write(bool gates_closed, absl::FunctionRef<void()> begun,
                          absl::FunctionRef<void()> meanwhile) {
  LogNotice("{}", gates_closed ? "Saving the snapshot while everybody waits"
                               : "Background saving started");
  int64_t changes = 0;
  const SnapshotPlace place = {.path = server_.config().Text("dbfilename"),
                               .temporary_path = "temp-" + std::to_string(getpid()) + ".rdb",
                               .incremental_fsync = server_.settings().rdb_save_incremental_fsync};
  SnapshotOptions options = SnapshotOptionsFrom(server_);
  options.gates_closed = gates_closed;
  const auto at_instant = [&] {
    changes = server_.keyspace().changes();
    begun();
    return HeadOf(server_, /*log_base=*/false);
  };
  const auto stop = [&] {
    meanwhile();
    return work_.given_up();
  };
  journal_.file().set_fsync_paused(server_.settings().no_appendfsync_on_rewrite);
  absl::StatusOr<SnapshotFileFacts> written;
  while (true) {
    written = WriteSnapshotFile(server_.keyspace(), files_, place, options, at_instant, stop);
    if (!absl::IsAborted(written.status())) break;
    LogNotice("Background saving begins again: {}", MessageOf(written.status()));
  }
  journal_.file().set_fsync_paused(false);
  if (!written.ok()) {
    LogWarning("Error trying to save the DB: {}", MessageOf(written.status()));
    return written.status();
  }
  saved_changes_ = changes;
  LogNotice("DB saved on disk: {} keys, {} bytes", written->keys, written->bytes);
  return absl::OkStatus();
}

absl::Status Saver::SaveAlone(absl::FunctionRef<void()> meanwhile) {
  const int64_t started_ms = server_.clock().NowMs();
  int64_t told_ms = 0;
  const auto tell = [&] {
    // There is no heartbeat while the main thread saves.
    const int64_t now_ms = server_.clock().NowMs();
    if (now_ms - told_ms >= kTellMs) {
      told_ms = now_ms;
      TellSupervisor(kStillAtWork);
    }
    meanwhile();
  };
  absl::Status status = Write(/*gates_closed=*/true, [] {}, tell);
  Note(status, server_.clock().NowMs() - started_ms);
  return status;
}

void Saver::Note(const absl::Status& status, int64_t took_ms) {
  {
    MutexLock lock(mutex_);
    figures_.last_ok = status.ok();
    figures_.last_took_s = took_ms / 1000;
    if (status.ok()) {
      figures_.last_save_s = server_.clock().NowMs() / 1000;
      figures_.snapshots += 1;
    }
  }
  if (status.ok()) {
    LogNotice("Background saving terminated with success");
  } else {
    LogWarning("Background saving error");
  }
  health_.NoteSnapshot(status.ok());
}

void Saver::Schedule() {
  MutexLock lock(mutex_);
  figures_.scheduled = true;
}

void Saver::NoteFlush() {
  if (HasSavePoints(server_.config())) Schedule();
}

void Saver::Tick() {
  const bool scheduled = figures().scheduled;
  const std::optional<SavePoint> reached = scheduled ? std::nullopt : ReachedSavePoint();
  if (reached) LogNotice("{} changes in {} seconds. Saving...", reached->changes, reached->seconds);
  if (scheduled || reached) (void)Begin();
}

std::optional<Saver::SavePoint> Saver::ReachedSavePoint() const {
  const int64_t now_ms = server_.clock().NowMs();
  const int64_t changes = changes_since_save();
  int64_t since_s;
  {
    MutexLock lock(mutex_);
    if (!figures_.last_ok && now_ms - last_try_ms_ <= kSaveRetryMs) return std::nullopt;
    since_s = now_ms / 1000 - figures_.last_save_s;
  }
  const std::vector<std::string> words = server_.config().Words("save");
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    const SavePoint point = {.seconds = std::stoll(words[i]), .changes = std::stoll(words[i + 1])};
    if (changes >= point.changes && since_s > point.seconds) return point;
  }
  return std::nullopt;
}

void Saver::NoteLoaded(int64_t changes) { saved_changes_ = server_.keyspace().changes() - changes; }

Saver::Figures Saver::figures() const {
  MutexLock lock(mutex_);
  return figures_;
}

int64_t Saver::changes_since_save() const { return server_.keyspace().changes() - saved_changes_; }

}  // namespace cloakroom
