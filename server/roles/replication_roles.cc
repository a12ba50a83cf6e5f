// How Replication changes its role, and what the link to a primary reports.

#include <algorithm>
#include <memory>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/link_log.h"
#include "server/roles/replication.h"
#include "server/session/blocked_request.h"
#include "server/session/client.h"
#include "server/session/client_registry.h"
#include "server/sessions/native_sessions.h"
#include "storage/base/clock.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

void Replication::FollowSettings() {
  server_.config().Subscribe({"min-replicas-to-write", "min-replicas-max-lag", "replica-read-only",
                              "replica-serve-stale-data", "replica-ignore-maxmemory"},
                             [this] {
                               server_.keyspace().settings().evicts_by_primary =
                                   is_replica() && server_.settings().replica_ignore_maxmemory;
                               DecideRefusals();
                               return absl::OkStatus();
                             });
}

void Replication::DecideRefusals() {
  const Config& settings = server_.settings();
  // Otherwise one that was decided before a change of the role could be stored behind it.
  MutexLock lock(refusals_mutex_);
  uint8_t refusals = 0;
  if (is_replica()) {
    if (settings.replica_read_only) refusals |= kReadOnly;
    if (!link_up_ && !settings.replica_serve_stale_data) refusals |= kStaleData;
  } else if (!board_.EnoughGood(server_.clock().MonotonicUs() / 1000,
                                settings.min_replicas_to_write, settings.min_replicas_max_lag_s)) {
    refusals |= kTooFew;
  }
  refusals_.store(refusals, std::memory_order_relaxed);
}

// ---- role changes

std::optional<PrimaryAddress> Replication::primary() const {
  MutexLock lock(mutex_);
  return primary_;
}

void Replication::MakeStream() {
  if (primary_stream_ != nullptr) return;
  const auto tell = [this](auto act) {
    if (Transport* const its_transport = transport()) act(*its_transport);
  };
  primary_stream_ = std::make_unique<PrimaryStream>(
      server_, runners_(),
      PrimaryStream::Callbacks{
          .asked_for_ack =
              [tell](int64_t position) {
                tell([position](Transport& link) { link.AnswerAck(position); });
              },
          .room = [tell] { tell([](Transport& link) { link.ReadPrimary(); }); },
          .broken =
              [tell](const absl::Status& error) {
                tell([&error](Transport& link) { link.StreamBroken(error); });
              }});
}

void Replication::ApplyRole(bool replica) {
  is_replica_ = replica;
  link_up_ = false;
  SetLogRole(replica ? LogRole::kReplica : LogRole::kPrimary);
  StorageSettings& settings = server_.keyspace().settings();
  settings.expires_by_primary = replica;
  settings.evicts_by_primary = replica && server_.settings().replica_ignore_maxmemory;
  ChangeJournal& journal = server_.persistence().journal();
  // A replica has a backlog for its own replicas, and keeps it when it is promoted.
  if (replica) journal.set_replicated(true);
  journal.set_following(replica);
  DecideRefusals();
}

void Replication::BecomeReplica(Hold& hold, PrimaryAddress primary, bool failover) {
  MakeStream();
  const bool was_replica = is_replica();
  if (!was_replica) {
    LogNotice(
        "Before turning into a replica, using my own master parameters to synthesize a cached "
        "master: I may be able to synchronize with the new master with just a partial transfer.");
  }
  Following following{.primary = primary, .failover = failover};
  {
    // What the old link still reports comes too late.
    MutexLock lock(mutex_);
    following.turn = ++turn_;
  }
  primary_stream_->End();
  // What this transaction has changed so far is ours. Nothing is appended here behind it.
  hold.BeginAnew(server_.keyspace().db(0));
  ApplyRole(/*replica=*/true);
  if (!was_replica) demoted_at_id_ = server_.clients().next_id();
  const std::optional<int64_t> acked = board_.LeastAcked();
  int db = 0;
  {
    MutexLock lock(mutex_);
    db = SelectedDb();
    following.cached = history_.BecomeReplica(stream_.tail());
    // It is our own replica that is to be the primary, and knows our name.
    if (failover) following.cached->id = history_.id1();
    if (!was_replica) NoteDiscarded(following.cached->id, acked);
    if (data_lost_) following.cached.reset();
    KeepStream();
    StateHistory();
    primary_ = primary;
    link_ = {};
  }
  if (!was_replica) {
    primary_stream_->set_db(db);
    // Files of the log that were begun since the start do not say it, and later ones must.
    if (db != std::max(stream_.selected_db(), 0)) server_.persistence().journal().file().Select(db);
    stream_.SetDb(db);
  }
  server_.config().Note("replicaof", Concat({primary.host, " ", std::to_string(primary.port)}));
  server_.sessions().RevokeAll();
  UnblockClients();
  if (Transport* const its_transport = transport()) its_transport->Follow(std::move(following));
}

void Replication::BecomePrimary(Hold& hold) {
  if (!is_replica()) return;
  {
    // What the old link still reports comes too late.
    MutexLock lock(mutex_);
    ++turn_;
  }
  primary_stream_->Finish(hold);
  std::optional<LinkLine> line;
  {
    MutexLock lock(mutex_);
    line = history_.Promote(stream_.tail(), random_);
    discarded_.reset();
    if (!own_from_) own_from_ = stream_.tail();
    primary_.reset();
    diverged_ = false;
    data_lost_ = false;
    StateHistory();
  }
  // Other replicas continue here, so the next record says its database.
  stream_.SetDb(ChangeStream::kKeepsDb);
  board_.Clear();
  // What was applied under this hold is in our stream already; what else it changes is ours.
  hold.BeginAnew(server_.keyspace().db(0));
  ApplyRole(/*replica=*/false);
  demoted_at_id_ = 0;
  hold.BeginAnew(server_.keyspace().db(0));
  server_.persistence().log_keeper().BeginAnew();
  server_.config().Note("replicaof", "");
  LogLink(*line);
  Transport* const its_transport = transport();
  if (its_transport == nullptr) return;
  its_transport->Unfollow();
  its_transport->Dismiss();
}

/// As in Redis: what they wait for would be a write, or they wait for writes of this server.
void Replication::UnblockClients() {
  for (const std::shared_ptr<Client>& client : server_.clients().All()) {
    std::shared_ptr<BlockedRequest> blocked;
    {
      MutexLock lock(client->mutex);
      blocked = client->blocked_request;
    }
    if (blocked != nullptr) blocked->CallOff();
  }
}

/// If nobody has read the stream so far, the backlog begins now.
void Replication::KeepStream() {
  if (kept_ == ChangeStream::kNothing) kept_ = stream_.tail();
  stream_.Keep(*this, kept_);
}

/// Tells the log. Without a backlog, or with data that is nobody's, nobody may continue from it.
void Replication::StateHistory() {
  AofHistory history;
  if (history_.backlog() && !data_lost_) {
    history = {.id = std::string(history_.id1().text()), .bias = history_.bias()};
  }
  server_.persistence().journal().file().SetHistory(std::move(history));
}

// ---- at the start

/// The database in which a stream that comes behind ours goes on, unless it says which. If nothing
/// was appended since the start, that is what the history had selected then.
int Replication::SelectedDb() const {
  if (history_.IsAsRestarted(stream_.tail())) return db_at_start_;
  return std::max(stream_.selected_db(), 0);
}

void Replication::AddFields(RdbAuxFields* fields) {
  const bool replica = is_replica();
  const int replicas_db = replica ? primary_stream_->db() : 0;
  MutexLock lock(mutex_);
  const int db = replica ? replicas_db : SelectedDb();
  // Without a backlog, or with data that is nobody's, nobody may continue from it.
  if (!history_.backlog() || data_lost_) return;
  fields->emplace_back("repl-stream-db", std::to_string(db));
  fields->emplace_back("repl-id", std::string(history_.id1().text()));
  fields->emplace_back("repl-offset", std::to_string(history_.OffsetAt(stream_.tail())));
}

void Replication::NoteField(std::string_view name, std::string_view value) {
  MutexLock lock(mutex_);
  if (name == "repl-id") loaded_.id = ReplicationId::Parse(value);
  if (name == "repl-offset") loaded_.offset = ParseInteger(value).value_or(-1);
  if (name == "repl-stream-db") loaded_.db = static_cast<int>(ParseInteger(value).value_or(0));
}

void Replication::TakeUpFields() {
  std::optional<AofPlace> place;
  {
    MutexLock lock(mutex_);
    if (loaded_.id) {
      place = {.id = std::string(loaded_.id->text()),
               .offset = loaded_.offset,
               .begin = stream_.tail(),
               .first_record = stream_.tail(),
               .db = loaded_.db};
    }
  }
  TakeUp(place);
}

void Replication::TakeUp(const std::optional<AofPlace>& place) {
  const bool replica = !server_.config().Words("replicaof").empty();
  const std::optional<ReplicationId> id = place ? ReplicationId::Parse(place->id) : std::nullopt;
  const bool exists = place && place->db >= 0 && place->db < server_.keyspace().database_count();
  bool known = false;
  {
    MutexLock lock(mutex_);
    db_at_start_ = exists ? place->db : 0;
    if (id) {
      const HistoryPoint point{*id, place->offset};
      const int64_t tail = stream_.tail();
      known = replica ? history_.RestartAsReplica(point, place->begin, tail)
                      : history_.RestartAsPrimary(point, place->begin, tail, random_);
    }
    // Our own id is new, and no primary knows it.
    data_lost_ = !known && replica;
    if (known) {
      if (!replica) own_from_ = place->first_record;
      restarted_ = !replica;
      kept_ = place->begin;
      stream_.Keep(*this, kept_);
    }
    StateHistory();
  }
  if (!known) return;
  LogNotice("The data is that of offset {} of the history {}; {} bytes before it are the backlog.",
            place->offset, place->id, stream_.tail() - place->begin);
  if (!replica) server_.persistence().journal().set_replicated(true);
  // A log that begins a file says it; a replica goes on in it.
  stream_.SetDb(exists ? place->db : 0);
}

void Replication::BeginRole(Hold& hold) {
  const std::vector<std::string> words = server_.config().Words("replicaof");
  // A primary says its database anew: its replicas may have been told to expect that.
  if (words.empty()) {
    stream_.SetDb(ChangeStream::kKeepsDb);
    return;
  }
  BecomeReplica(hold, {words[0], static_cast<int>(ParseInteger(words[1]).value_or(0))});
}

// ---- the link

bool Replication::IsTurn(Turn turn) const {
  MutexLock lock(mutex_);
  return turn == turn_;
}

bool Replication::BeginLoad(Turn turn) {
  MutexLock lock(mutex_);
  loaded_ = {};
  return turn == turn_;
}

bool Replication::SharesHistory(const ReplicationId& id) const {
  MutexLock lock(mutex_);
  return history_.id1() == id;
}

void Replication::TakeOver(const std::optional<HistoryPoint>& point) {
  int db = 0;
  {
    MutexLock lock(mutex_);
    if (loaded_.db > 0 && loaded_.db < server_.keyspace().database_count()) db = loaded_.db;
    const int64_t tail = stream_.SetDb(db);
    // Without a place to name, nobody may continue from here.
    if (!point || !history_.TakeOver(*point, tail)) history_.ChangeId(random_);
    // Our replicas may still be sent what is before it; KeepFrom frees that.
    diverged_ = false;
    ForgetOwnRecords();
    data_lost_ = false;
    StateHistory();
  }
  primary_stream_->set_db(db);
  board_.Clear();
  if (Transport* const its_transport = transport()) its_transport->Dismiss();
}

void Replication::LoseData() {
  {
    MutexLock lock(mutex_);
    history_.ChangeId(random_);
    ForgetOwnRecords();
    data_lost_ = true;
    StateHistory();
  }
  board_.Clear();
  if (Transport* const its_transport = transport()) its_transport->Dismiss();
}

bool Replication::Continue(Turn turn, const ReplicationId& id) {
  bool changed = false;
  {
    MutexLock lock(mutex_);
    if (turn != turn_) return false;
    changed = history_.Continue(id, stream_.tail());
    ForgetOwnRecords();
    if (std::exchange(undecided_tails_, false)) {
      remove_tails_ = true;
      PostTailWork();
    }
    StateHistory();
  }
  if (!changed) return true;
  // So that our own replicas learn the new id.
  board_.Clear();
  if (Transport* const its_transport = transport()) its_transport->Dismiss();
  return true;
}

bool Replication::BeginStream(Turn turn) {
  if (!IsTurn(turn)) return false;
  primary_stream_->Begin();
  if (IsTurn(turn)) return true;
  // The turn ended in between. Nothing has been received, since that is for the same thread.
  primary_stream_->End();
  return false;
}

bool Replication::WantsFullSync(int64_t now_ms) {
  constexpr int64_t kBetweenSyncsMs = 60'000;
  MutexLock lock(mutex_);
  if (!diverged()) {
    full_sync_at_ms_.reset();
    return false;
  }
  if (!full_sync_at_ms_) full_sync_at_ms_ = now_ms + kBetweenSyncsMs;
  if (now_ms < *full_sync_at_ms_) return false;
  full_sync_at_ms_ = now_ms + kBetweenSyncsMs;
  return true;
}

void Replication::SetLink(LinkFacts facts) {
  {
    MutexLock lock(mutex_);
    link_ = std::move(facts);
    link_up_ = primary_.has_value() && link_.info.up;
  }
  DecideRefusals();
}

}  // namespace cloakroom
