#include "server/roles/replication.h"

#include <algorithm>
#include <utility>

#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/link_log.h"
#include "storage/base/clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

ReplicationHistory NewHistory() {
  absl::BitGen random;
  return ReplicationHistory(random);
}

}  // namespace

Replication::Replication(Server& server, Files& files, RecordRunnerFactory runners)
    : server_(server),
      files_(files),
      stream_(server.stream()),
      runners_(std::move(runners)),
      history_(NewHistory()) {
  stream_.Add(*this);
  FollowSettings();
  DecideRefusals();
}

Replication::~Replication() {
  // The workers have dropped what had not begun.
  DoTailWork();
  stream_.Remove(*this);
}

void Replication::StreamMoved() {
  if (Transport* const its_transport = transport()) its_transport->StreamMoved();
}

int64_t Replication::BacklogSize() const { return server_.settings().repl_backlog_size_bytes; }

SyncServer Replication::Standing() const {
  SyncServer standing;
  standing.stream = {.tail = stream_.tail(), .first_kept = kept_, .oldest_cursor = oldest_cursor_};
  standing.backlog_size = BacklogSize();
  standing.is_replica = primary_.has_value();
  standing.link_up = link_.info.up;
  standing.failing_over = failover_.active();
  return standing;
}

SyncDecision Replication::Foresee(const SyncRequest& request) const {
  MutexLock lock(mutex_);
  return DecideSync(history_, request, Standing());
}

SyncDecision Replication::Decide(const SyncRequest& request) {
  SyncDecision decision;
  {
    MutexLock lock(mutex_);
    decision = DecideSync(history_, request, Standing());
    full_syncs_ += decision.sync_full ? 1 : 0;
    partial_syncs_ += decision.sync_partial_ok ? 1 : 0;
    refused_partial_syncs_ += decision.sync_partial_err ? 1 : 0;
  }
  for (const LinkLine& line : decision.lines) LogLink(line);
  return decision;
}

int64_t Replication::OffsetAt(int64_t position) const {
  MutexLock lock(mutex_);
  return history_.OffsetAt(position);
}

Replication::FullSyncPoint Replication::BeginFullSync() {
  std::optional<LinkLine> line;
  FullSyncPoint begin;
  const bool replica = is_replica();
  {
    MutexLock lock(mutex_);
    // What comes from here on is another replica's first record: it must say its database. But a
    // primary's stream is not ours to add to.
    begin.position = replica ? stream_.tail() : stream_.SetDb(ChangeStream::kKeepsDb);
    line = history_.BeginBacklog(begin.position, random_);
    begin.point = {.id = history_.id1(), .offset = history_.OffsetAt(begin.position)};
    pinned_ = begin.position;
    StateHistory();
    if (line) {
      if (!replica) own_from_ = begin.position;
      kept_ = begin.position;
      stream_.Keep(*this, kept_);
    }
  }
  server_.persistence().journal().set_replicated(true);
  if (line) LogLink(*line);
  return begin;
}

void Replication::ForgetHistory(bool log_agrees) {
  {
    MutexLock lock(mutex_);
    if (!log_agrees) server_.persistence().journal().file().Distrust();
    history_.ChangeId(random_);
    StateHistory();
  }
  board_.Clear();
  if (Transport* const its_transport = transport()) its_transport->Dismiss();
}

void Replication::NoteSynced() {
  const std::optional<int64_t> synced = server_.persistence().journal().synced();
  if (synced) board_.LocalSynced(OffsetAt(*synced));
}

void Replication::Seal() {
  {
    MutexLock lock(mutex_);
    if (sealed_at_) return;
    sealed_at_ = history_.OffsetAt(stream_.tail());
  }
  // The last bytes, for which nobody waits.
  ChangeJournal& journal = server_.persistence().journal();
  if (board_.online() > 0) journal.Replicate({"REPLCONF", "GETACK", "*"});
  journal.set_sealed(true);
}

void Replication::Unseal() {
  MutexLock lock(mutex_);
  sealed_at_.reset();
  server_.persistence().journal().set_sealed(false);
}

int64_t Replication::last_offset() const {
  MutexLock lock(mutex_);
  return sealed_at_.value_or(history_.OffsetAt(stream_.tail()));
}

void Replication::EndPin() {
  MutexLock lock(mutex_);
  pinned_ = INT64_MAX;
}

void Replication::KeepFrom(int64_t oldest_cursor) {
  MutexLock lock(mutex_);
  if (!history_.backlog()) return;
  oldest_cursor_ = oldest_cursor;
  const int64_t backlog = stream_.Published() - BacklogSize();
  const int64_t discarded = discarded_ ? discarded_->first_record : INT64_MAX;
  kept_ = std::max(kept_, std::min({backlog, oldest_cursor, pinned_, discarded, read_from_}));
  stream_.Keep(*this, kept_);
}

void Replication::DropIdleBacklog(int64_t now_ms, int64_t no_replicas_since_ms) {
  if (is_replica()) return;
  const int64_t ttl_s = server_.settings().repl_backlog_ttl_s;
  if (!BacklogIsIdle(now_ms, no_replicas_since_ms, ttl_s)) return;
  Hold hold(server_.keyspace().background_slot());
  if (!hold.TryClose(server_.keyspace().databases(), /*queued=*/false)) return;
  std::optional<LinkLine> line;
  {
    MutexLock lock(mutex_);
    if (!history_.backlog() || primary_ || std::min(pinned_, read_from_) != INT64_MAX) return;
    line = history_.DropBacklog(ttl_s, random_);
    ForgetOwnRecords();
    StateHistory();
    kept_ = ChangeStream::kNothing;
    stream_.Keep(*this, kept_);
  }
  server_.persistence().journal().set_replicated(false);
  LogLink(*line);
}

void Replication::SetFacts(std::vector<ReplicaFacts> facts, int64_t spooled_bytes) {
  MutexLock lock(mutex_);
  spooled_bytes_ = spooled_bytes;
  facts_ = std::move(facts);
}

void Replication::CountReplicas() { DecideRefusals(); }

Replication::Figures Replication::figures() const {
  Figures figures;
  const Config& settings = server_.settings();
  figures.good_replicas =
      board_.CountGood(server_.clock().MonotonicUs() / 1000, settings.min_replicas_max_lag_s);
  MutexLock lock(mutex_);
  figures.id1 = history_.id1();
  figures.id2 = history_.id2();
  figures.second_offset = history_.id2_limit();
  figures.backlog = history_.backlog();
  if (figures.backlog) {
    const SyncServer standing = Standing();
    figures.offset = history_.OffsetAt(standing.stream.tail);
    figures.first_byte = history_.FirstByte(standing.stream, standing.backlog_size);
    figures.stream_bytes = stream_.memory();
    figures.spooled_bytes = spooled_bytes_;
  }
  figures.replicas = facts_;
  figures.primary = primary_;
  figures.diverged = diverged();
  figures.failover = failover_.state_name();
  figures.link = link_;
  if (primary_) figures.read_ahead = primary_stream_->behind();
  figures.sent_bytes = sent_bytes();
  figures.received_bytes = received_bytes();
  figures.replica_errors = replica_errors_.load(std::memory_order_relaxed);
  figures.full_syncs = full_syncs_;
  figures.partial_syncs = partial_syncs_;
  figures.refused_partial_syncs = refused_partial_syncs_;
  return figures;
}

void Replication::ResetCounters() {
  MutexLock lock(mutex_);
  full_syncs_ = 0;
  partial_syncs_ = 0;
  refused_partial_syncs_ = 0;
  replica_errors_ = 0;
  sent_bytes_ = 0;
  received_bytes_ = 0;
}

}  // namespace cloakroom
