// How a simulated server changes its role, gives full syncs, and is given one.

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "replication/aof/aof_history.h"
#include "tests/replication/simulator/sim_server.h"

namespace cloakroom {

// ---- the role

void SimServer::Follow(int primary, bool failover) {
  follower_.GiveUpLoadInPlace();
  const bool was_replica = is_replica();
  follower_.EndStream();
  machine_.primary = primary;
  const int db = SelectedDb();
  std::optional<HistoryPoint> cached = history_.BecomeReplica(stream_.tail());
  if (failover) cached->id = history_.id1();
  if (!was_replica) data_.set_db(db);
  if (data_lost_) cached.reset();
  KeepStream();
  StateHistory();
  if (!was_replica && db != std::max(stream_.selected_db(), 0)) log_.file().Select(db);
  if (!was_replica) stream_.SetDb(db);
  EndWaits();
  ClaimTail();
  follower_.Follow(primary, cached, failover);
}

void SimServer::Promote() {
  if (!is_replica()) return;
  follower_.GiveUpLoadInPlace();
  follower_.FinishStream();
  if (environment_.mistake != SimMistake::kPromotesUnderOldId) {
    const HistoryPoint at = point();
    history_.Promote(stream_.tail(), environment_.random);
    BranchOff(at);
  }
  machine_.primary.reset();
  data_lost_ = false;
  StateHistory();
  stream_.SetDb(ChangeStream::kKeepsDb);
  board_.Clear();
  if (log_.file().state() == AppendOnlyFile::State::kOff) log_.ScheduleRewrite();
  follower_.Unfollow();
  DismissReplicas();
  ClaimTail();
}

/// If nobody has read the stream so far, the backlog begins now.
void SimServer::KeepStream() {
  if (kept_ == ChangeStream::kNothing) kept_ = stream_.tail();
  stream_.Keep(*this, kept_);
}

void SimServer::StateHistory() {
  AofHistory history;
  if (history_.backlog() && !data_lost_)
    history = {.id = std::string(history_.id1().text()), .bias = history_.bias()};
  log_.file().SetHistory(std::move(history));
}

void SimServer::DismissReplicas() {
  for (const auto& [connection, peer] : peers_) peer->Handle(PeerDismissed{});
}

// ---- for the link

void SimServer::NoteContinued(const ReplicationId& id) {
  const bool changed = history_.Continue(id, stream_.tail());
  if (changed) true_id2_limit_ = offset() + 1;
  StateHistory();
  ClaimTail();
  if (!changed) return;
  board_.Clear();
  DismissReplicas();
}

void SimServer::TakeOver(const std::optional<HistoryPoint>& point, SimData::Loaded loaded) {
  ++machine_.loads;
  const int db = static_cast<int>(ParseInteger(loaded.fields["repl-stream-db"]).value_or(0));
  data_ = std::move(loaded.data);
  data_.set_db(db);
  const int64_t tail = stream_.SetDb(db);
  if (!point || !history_.TakeOver(*point, tail)) history_.ChangeId(environment_.random);
  true_id2_limit_ = ReplicationHistory::kNoLimit;
  data_lost_ = false;
  ends_.clear();
  StateHistory();
  board_.Clear();
  if (environment_.mistake != SimMistake::kKeepsReplicas) DismissReplicas();
  log_.ScheduleRewrite();
  ClaimTail();
}

void SimServer::LoseData() {
  ++machine_.loads;
  data_ = SimData();
  history_.ChangeId(environment_.random);
  true_id2_limit_ = ReplicationHistory::kNoLimit;
  data_lost_ = true;
  StateHistory();
  board_.Clear();
  DismissReplicas();
}

// ---- full syncs

void SimServer::BeginSync() {
  if (sync_runs_) return;
  std::erase_if(group_, [this](int connection) { return !peers_.contains(connection); });
  if (group_.empty()) return;
  sync_runs_ = true;
  syncing_ = std::exchange(group_, {});
  sink_ = machine_.by_file ? nullptr : std::make_shared<FanOutSink>([] {});
  for (const int connection : syncing_) peers_.at(connection)->set_sink(sink_);

  const int64_t position = is_replica() ? stream_.tail() : stream_.SetDb(ChangeStream::kKeepsDb);
  if (history_.BeginBacklog(position, environment_.random)) {
    kept_ = position;
    stream_.Keep(*this, kept_);
    true_id2_limit_ = ReplicationHistory::kNoLimit;
  }
  StateHistory();
  ClaimTail();
  rdb_ = Base();
  PeerInstant instant{.id = history_.id1(), .offset = offset(), .position = position};
  if (sink_ != nullptr) instant.mark = ReplicationId::Random(environment_.random);
  for (const int connection : syncing_) peers_.at(connection)->Handle(instant);
}

void SimServer::EndSync(bool ok) {
  if (!std::exchange(sync_runs_, false)) return;
  if (environment_.mistake == SimMistake::kSnapshotTooLate) rdb_ = Base();
  if (sink_ != nullptr && ok) sink_->Append(rdb_);
  if (sink_ != nullptr) ok ? sink_->End() : sink_->GiveUp();
  for (const int connection : std::exchange(syncing_, {})) {
    const auto peer = peers_.find(connection);
    if (peer == peers_.end()) continue;
    if (!ok) {
      peer->second->Handle(PeerSaveFailed{});
      peer->second->Handle(PeerSnapshotRefused{});
    } else if (sink_ == nullptr) {
      peer->second->SendFile(rdb_);
    }
  }
  sink_.reset();
}

// ---- failover

std::vector<FailoverReplica> SimServer::FailoverReplicas() const {
  std::vector<FailoverReplica> replicas;
  for (const auto& [connection, peer] : peers_) {
    if (!peer->open() || !peer->is_replica() || peer->peer().state_name().empty()) continue;
    replicas.push_back({.ip = peer->peer().ip(),
                        .port = peer->peer().options().listening_port,
                        .online = peer->peer().online(),
                        .ack = environment_.mistake == SimMistake::kFailsOverEarly
                                   ? offset()
                                   : peer->peer().ack()});
  }
  return replicas;
}

void SimServer::NoteFailover(int target) {
  environment_.failover.reset();
  for (const auto& [connection, peer] : peers_) {
    const SimNetwork::Connection* const found = environment_.network.Find(connection);
    if (forced_ || !peer->open() || !peer->is_replica() || peer->replica() != target || !found)
      continue;
    environment_.failover = SimFailover{.target = target,
                                        .life = peer->life(),
                                        .loads = found->loads,
                                        .point = {history_.id1(), failing_over_at_}};
  }
}

void SimServer::CheckPromoted() {
  const std::optional<SimFailover> failover = std::exchange(environment_.failover, std::nullopt);
  if (!failover || failover->target != machine_.number || failover->life != machine_.life ||
      failover->loads != machine_.loads)
    return;
  if (environment_.ledger.IsPrefix(failover->point, point())) return;
  environment_.Fail("a failover has lost writes: " + Text());
}

void SimServer::StartFailover(const FailoverRequest& request) {
  if (!failover_.active()) {
    forced_ = request.force;
    failing_over_at_ = offset();
  }
  const absl::StatusOr<std::vector<FailoverAction>> actions =
      failover_.Start(request, is_replica(), FailoverReplicas(), offset(), environment_.now_ms());
  if (actions.ok()) Perform(*actions);
  RunPosted();
}

void SimServer::CheckFailover() {
  if (!failover_.active()) return;
  Perform(failover_.Check(FailoverReplicas(), offset(), environment_.now_ms()));
}

void SimServer::NoteFailoverAnswer(bool accepted) { failover_answer_ = accepted; }

void SimServer::Perform(const std::vector<FailoverAction>& actions) {
  using Kind = FailoverAction::Kind;
  for (const FailoverAction& action : actions) {
    switch (action.kind) {
      case Kind::kPauseWrites:
        paused_ = true;
        break;
      case Kind::kAskForAcks:
        Replicate({"REPLCONF", "GETACK", "*"});
        break;
      case Kind::kReplicaOf:
        NoteFailover(static_cast<int>(action.target.port) - PortOf(0));
        Follow(static_cast<int>(action.target.port) - PortOf(0), /*failover=*/true);
        break;
      case Kind::kPromote:
        Promote();
        break;
      case Kind::kResume:
        paused_ = false;
        break;
      case Kind::kLog:
        environment_.Trace({std::to_string(machine_.number), ": ", action.line.text});
        break;
    }
  }
}

}  // namespace cloakroom
