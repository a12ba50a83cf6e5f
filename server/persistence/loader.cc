#include "server/persistence/loader.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "replication/aof/aof_backlog.h"
#include "replication/aof/aof_directory.h"
#include "replication/files/file_status.h"
#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/persistence/change_journal.h"
#include "server/persistence/history_places.h"
#include "server/persistence/log_keeper.h"
#include "server/persistence/persistence.h"
#include "server/persistence/saver.h"
#include "server/script/function_registry.h"
#include "server/sessions/native_sessions.h"
#include "server/tracking/tracking_table.h"
#include "storage/access/flush.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "storage/changes/change_feed.h"
#include "storage/keyspace/keyspace.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {
namespace {

int64_t KeysOf(Keyspace& keyspace) {
  size_t keys = 0;
  for (int i = 0; i < keyspace.database_count(); ++i) keys += keyspace.db(i).size();
  return static_cast<int64_t>(keys);
}

}  // namespace

Loader::Loader(Server& server, Files& files, BackgroundWork& work, ChangeJournal& journal,
               Saver& saver, LogKeeper& log_keeper, ApplierFactory appliers)
    : server_(server),
      files_(files),
      work_(work),
      journal_(journal),
      saver_(saver),
      log_keeper_(log_keeper),
      appliers_(std::move(appliers)),
      progress_(server.clock()) {}

void Loader::End(bool ok) {
  // The loaded data must count for maxmemory before the first write comes.
  MemoryMeter::PublishAll();
  const int64_t lost = ok ? figures().lost : 0;
  const bool log_on = journal_.on();
  // Otherwise the next start would need the repair again.
  if (lost > 0 && log_on) log_keeper_.Schedule();
  saver_.NoteLoaded(log_on ? 0 : lost);
  progress_.End();
  if (lost == 0) return;
  LogWarning("{}", log_on ? "The append-only log is rewritten now, so that it holds what could be "
                            "read and needs no repair again"
                          : "The next save takes the place of the damaged file; until then the "
                            "start needs --repair yes again");
}

absl::Status Loader::LoadAtStart(absl::FunctionRef<bool()> stop) {
  Hold hold(server_.keyspace().background_slot());
  hold.WaitAndCloseAll(server_.keyspace());
  const int64_t started_us = server_.clock().MonotonicUs();
  const bool from_log = log_keeper_.wanted();
  std::optional<AofBacklog> backlog;
  if (from_log) backlog.emplace(server_.stream(), server_.settings().repl_backlog_size_bytes);
  AofBacklog* const follower = backlog ? &*backlog : nullptr;
  absl::Status status = Load({.from_log = from_log}, hold, stop, follower);
  if (status.ok() && figures().total_bytes > 0) {
    const double seconds =
        static_cast<double>(server_.clock().MonotonicUs() - started_us) / 1'000'000;
    LogNotice("DB loaded from {}: {:.3f} seconds, {} keys", from_log ? "append only file" : "disk",
              seconds, KeysOf(server_.keyspace()));
  }
  if (status.ok()) TakeUpHistory(follower);
  backlog.reset();
  if (status.ok() && from_log) status = log_keeper_.Resume();
  // Before the gates open: those who wait for them must not save a part as the whole.
  if (!status.ok()) work_.ForgoSaving();
  HistoryPlaces* const places = server_.persistence().places();
  if (status.ok() && places != nullptr) places->BeginRole(hold);
  End(status.ok());
  return status;
}

void Loader::TakeUpHistory(const AofBacklog* backlog) {
  // Also a log whose statements do not hold any more.
  if (backlog != nullptr && backlog->makes_statements()) journal_.file().NoteStatements();
  HistoryPlaces* const places = server_.persistence().places();
  if (places == nullptr) return;
  if (figures().lost > 0) {
    places->TakeUp(std::nullopt);  // the data is another than its file says
  } else if (backlog != nullptr) {
    places->TakeUp(backlog->place());
  } else {
    places->TakeUpFields();
  }
}

absl::Status Loader::Load(const ReloadOptions& options, Hold& hold, absl::FunctionRef<bool()> stop,
                          AofBacklog* backlog) {
  if (options.from_log) return LoadLog(hold, stop, backlog);
  const std::string path = server_.config().Text("dbfilename");
  if (path.empty()) return absl::OkStatus();
  return LoadRun({server_, files_, appliers_, progress_, hold, stop})
      .LoadSnapshot(path, options.merge);
}

absl::Status Loader::LoadLog(Hold& hold, absl::FunctionRef<bool()> stop, AofBacklog* backlog) {
  auto loaded = log_keeper_.LoadManifest();
  if (!loaded.ok()) return loaded.status();
  AppendOnlyFile& log = journal_.file();
  absl::Status status = LoadRun({server_, files_, appliers_, progress_, hold, stop, backlog})
                            .LoadLog(loaded->manifest, log);
  if (!status.ok()) return status;
  if (log.state() == AppendOnlyFile::State::kOff) log.Adopt(std::move(loaded->manifest));
  return absl::OkStatus();
}

absl::Status Loader::Reload(const ReloadOptions& options) {
  absl::Status status = ReloadAlone(options);
  // All that is held has been given back.
  server_.tracking().AfterHold();
  return status;
}

absl::Status Loader::ReloadAlone(const ReloadOptions& options) {
  // In this order, so that the slot is free before the gates open.
  Hold hold(server_.keyspace().background_slot());
  BackgroundWork::TakeOver turn(work_);
  turn.Wait();
  hold.WaitAndCloseAll(server_.keyspace());
  // This came during the load, which was given up: the keyspace holds only a part.
  if (work_.saving_forgone()) return absl::CancelledError("Nothing is saved or loaded any more.");
  if (options.save && !options.from_log) {
    if (absl::Status saved = saver_.SaveAlone(); !saved.ok()) return saved;
  }
  if (options.save && options.from_log && journal_.on()) {
    if (absl::Status written = journal_.file().Flush(); !written.ok()) return written;
  }
  return LoadInPlace(options, hold);
}

absl::Status Loader::LoadFromPrimary(const PrimaryData& data) {
  absl::Status status = absl::CancelledError("The full sync was given up.");
  {
    const auto give_up = [&] { return data.stop() || work_.saving_forgone(); };
    // In this order, so that the slot is free before the gates open.
    Hold hold(server_.keyspace().background_slot());
    BackgroundWork::TakeOver turn(work_);
    const bool alone =
        turn.Wait(give_up) && hold.WaitAndClose(server_.keyspace().databases(), give_up);
    if (alone && data.may_begin() && data.may_replace()) status = ReplaceByPrimary(data, hold);
  }
  server_.tracking().AfterHold();
  // Otherwise what is left of our own data is in the old log.
  if (status.ok()) log_keeper_.BeginAnew();
  return status;
}

/// Who came between the closing of the gates and this waits at them, and is told now.
void Loader::BeginBehind(const Hold& hold) {
  progress_.Begin();
  for (Gate* const gate : hold.closed_gates()) gate->SetLoading();
}

absl::Status Loader::ReplaceByPrimary(const PrimaryData& data, Hold& hold) {
  BeginBehind(hold);
  server_.sessions().RevokeAll();
  SuspendLog();
  ChangeFeed& feed = server_.keyspace().feed();
  feed.set_silent(true);
  const auto empty = [&] {
    DiscardAll(server_.keyspace());
    server_.functions().Flush();
  };
  empty();
  server_.tracking().ForgetAll();
  const auto stop = [&] { return data.stop(); };
  absl::Status status =
      LoadRun({server_, files_, appliers_, progress_, hold, stop})
          .LoadFromPrimary(data.source, data.size, {server_.keyspace(), server_.functions()});
  if (!status.ok()) empty();
  status.ok() ? data.loaded() : data.failed();
  feed.set_silent(false);
  End(status.ok());
  return status;
}

/// Also one that was turned off, and whose files are not closed yet: it is not to get the bytes of
/// another history.
void Loader::SuspendLog() {
  if (journal_.file().state() != AppendOnlyFile::State::kOff) log_keeper_.Suspend();
}

absl::Status Loader::LoadBeside(const PrimaryData& data, LoadProgress::Phase phase) {
  Keyspace& keyspace = server_.keyspace();
  const auto give_up = [&] { return data.stop() || work_.saving_forgone(); };
  absl::Status status = absl::CancelledError("The full sync was given up.");
  // It takes the old data along, which is freed when the gates are open again.
  Keyspace fresh({.databases = keyspace.database_count(), .event_loops = 1}, server_.clock());
  FunctionRegistry libraries;
  {
    // In this order, so that the slot is free before the gates open.
    Hold hold(keyspace.background_slot());
    // All the while, for a snapshot would count on entries of its epoch.
    BackgroundWork::TakeOver turn(work_);
    if (!turn.Wait(give_up) || !data.may_begin()) return status;
    fresh.settings() = keyspace.settings();
    fresh.snapshot().FollowEpoch(keyspace.snapshot());
    progress_.Begin(phase);
    const auto stop = [&] { return data.stop(); };
    status = LoadRun({server_, files_, appliers_, progress_, hold, stop})
                 .LoadFromPrimary(data.source, data.size, {fresh, libraries});
    // The end of the source may come a little later than that of the RDB.
    std::array<char, 64> behind;
    while (status.ok() && data.source.Read(behind) > 0) continue;
    if (status.ok() && !(hold.WaitAndClose(keyspace.databases(), give_up) && data.may_replace()))
      status = absl::CancelledError("The full sync was given up.");
    if (status.ok()) {
      Swap({fresh, libraries}, hold);
      data.loaded();
      End(/*ok=*/true);
    } else {
      progress_.End();
    }
  }
  server_.tracking().AfterHold();
  if (status.ok()) log_keeper_.BeginAnew();
  return status;
}

void Loader::Swap(const LoadRun::Target& fresh, Hold& hold) {
  LogNotice("MASTER <-> REPLICA sync: Swapping active DB with loaded DB");
  server_.sessions().RevokeAll();
  SuspendLog();
  ChangeFeed& feed = server_.keyspace().feed();
  feed.set_silent(true);
  Hold spare(fresh.keyspace.background_slot());
  spare.WaitAndCloseAll(fresh.keyspace);
  SwapAll(hold, server_.keyspace(), fresh.keyspace);
  server_.functions().Flush();
  // Into an empty registry, so no name is taken.
  static_cast<void>(server_.functions().AddAll(fresh.libraries.Libraries(), /*replace=*/false));
  server_.tracking().ForgetAll();
  feed.set_silent(false);
}

absl::Status Loader::LoadInPlace(const ReloadOptions& options, Hold& hold) {
  ChangeLog* const log = server_.keyspace().feed().log();
  BeginBehind(hold);
  server_.sessions().RevokeAll();
  // Loaded data is not a change.
  ChangeFeed& feed = server_.keyspace().feed();
  feed.set_silent(true);
  feed.set_log(nullptr);
  if (options.flush) {
    DiscardAll(server_.keyspace());
    server_.functions().Flush();
  }
  server_.tracking().ForgetAll();
  absl::Status status = Load(options, hold, [] { return false; });
  feed.set_log(log);
  feed.set_silent(false);
  End(status.ok());
  return status;
}

}  // namespace cloakroom
