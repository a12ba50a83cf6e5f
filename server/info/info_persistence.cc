// INFO's persistence section.
#include "server/info/info.h"
#include "server/persistence/persistence.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/keyspace.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {
namespace {

using Kind = BackgroundWork::Kind;

std::string_view Status(bool ok) { return ok ? "ok" : "err"; }

/// There is no fork, so nothing is copied on write.
void AppendNoFork(InfoText& text) {
  text.Line("current_cow_peak", 0);
  text.Line("current_cow_size", 0);
  text.Line("current_cow_size_age", 0);
  text.Ratio("current_fork_perc", 0);
}

void AppendSnapshots(Server& server, const BackgroundWork::Progress& work,
                     const LoadProgress::Figures& load, InfoText& text) {
  const Snapshot& snapshot = server.keyspace().snapshot();
  const bool busy = work.kind != Kind::kNone;
  const bool saving = work.kind == Kind::kSnapshot || work.kind == Kind::kFullSync;
  const Saver& saver = server.persistence().saver();
  const Saver::Figures figures = saver.figures();
  text.Line("current_save_keys_processed", busy ? static_cast<int64_t>(snapshot.keys_done()) : 0);
  text.Line("current_save_keys_total", busy ? static_cast<int64_t>(snapshot.keys_total()) : 0);
  text.Line("rdb_changes_since_last_save", saver.changes_since_save());
  text.Line("rdb_bgsave_in_progress", saving ? 1 : 0);
  text.Line("rdb_last_save_time", figures.last_save_s);
  text.Line("rdb_last_bgsave_status", Status(figures.last_ok));
  text.Line("rdb_last_bgsave_time_sec", figures.last_took_s);
  text.Line("rdb_current_bgsave_time_sec", saving ? work.seconds : -1);
  text.Line("rdb_saves", figures.snapshots);
  text.Line("rdb_last_cow_size", 0);
  text.Line("rdb_last_load_keys_expired", load.expired_keys);
  text.Line("rdb_last_load_keys_loaded", load.keys);
}

void AppendLog(Server& server, const BackgroundWork::Progress& work, InfoText& text) {
  const ChangeJournal& journal = server.persistence().journal();
  const LogKeeper& keeper = server.persistence().log_keeper();
  const LogKeeper::Figures figures = keeper.figures();
  const bool rewriting = work.kind == Kind::kRewrite;
  text.Line("aof_enabled", keeper.wanted() ? 1 : 0);
  text.Line("aof_rewrite_in_progress", rewriting ? 1 : 0);
  text.Line("aof_rewrite_scheduled", figures.scheduled ? 1 : 0);
  text.Line("aof_last_rewrite_time_sec", figures.last_took_s);
  text.Line("aof_current_rewrite_time_sec", rewriting ? work.seconds : -1);
  text.Line("aof_last_bgrewrite_status", Status(figures.last_ok));
  text.Line("aof_rewrites", figures.rewrites);
  text.Line("aof_rewrites_consecutive_failures", figures.failures);
  text.Line("aof_last_write_status", Status(journal.healthy()));
  text.Line("aof_last_cow_size", 0);
  text.Line("module_fork_in_progress", 0);
  text.Line("module_fork_last_cow_size", 0);
  if (!journal.on()) return;
  const AppendOnlyFile::Info log = journal.info();
  text.Line("aof_current_size", log.current_size);
  text.Line("aof_base_size", log.base_size);
  text.Line("aof_pending_rewrite", 0);
  text.Line("aof_buffer_length", log.pending_bytes);
  text.Line("aof_pending_bio_fsync", 0);
  text.Line("aof_delayed_fsync", log.delayed_fsyncs);
}

void AppendLoading(Server& server, const LoadProgress::Figures& load, InfoText& text) {
  if (load.phase == LoadProgress::Phase::kNone) return;
  const int64_t passed_s = server.clock().NowMs() / 1000 - load.started_s;
  const int64_t done = load.done_bytes;
  const int64_t total = load.total_bytes;
  text.Line("loading_start_time", load.started_s);
  text.Line("loading_total_bytes", total);
  text.Line("loading_rdb_used_mem", MemoryMeter::UsedBytes());
  text.Line("loading_loaded_bytes", done);
  text.Ratio("loading_loaded_perc",
             total == 0 ? 0 : 100 * static_cast<double>(done) / static_cast<double>(total));
  text.Line("loading_eta_seconds", done == 0 ? 1 : passed_s * (total - done) / done);
}

}  // namespace

void AppendPersistence(Server& server, InfoText& text) {
  const BackgroundWork::Progress work = server.persistence().work().progress();
  const LoadProgress::Figures load = server.persistence().loader().figures();
  text.Section("Persistence");
  text.Line("loading", load.phase == LoadProgress::Phase::kRefusing ? 1 : 0);
  text.Line("async_loading", load.phase == LoadProgress::Phase::kBeside ? 1 : 0);
  AppendNoFork(text);
  AppendSnapshots(server, work, load, text);
  AppendLog(server, work, text);
  AppendLoading(server, load, text);
}

}  // namespace cloakroom
