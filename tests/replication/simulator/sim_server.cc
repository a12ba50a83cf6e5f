#include "tests/replication/simulator/sim_server.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

constexpr int64_t kPingEveryMs = 1500;
constexpr int64_t kBacklogTtlS = 15;
constexpr int64_t kWaitMs = 5000;

}  // namespace

SimServer::SimServer(SimEnvironment& environment, SimMachine& machine)
    : environment_(environment),
      machine_(machine),
      log_(environment, machine, stream_),
      history_(environment.random),
      follower_(*this) {
  ++machine_.life;
  stream_.Add(*this);
  no_replicas_since_ms_ = environment_.now_ms();
  if (machine_.log) {
    log_.Load(data_, [this](const std::optional<AofPlace>& place) { TakeUp(place); });
    log_.Resume(Base());
  } else {
    TakeUp(std::nullopt);
  }
  if (const std::optional<int> primary = std::exchange(machine_.primary, std::nullopt)) {
    Follow(*primary);
  } else {
    stream_.SetDb(ChangeStream::kKeepsDb);
  }
}

SimServer::~SimServer() { stream_.Remove(*this); }

// ---- at the start

void SimServer::TakeUp(const std::optional<AofPlace>& place) {
  const bool replica = machine_.primary.has_value();
  const std::optional<ReplicationId> id = place ? ReplicationId::Parse(place->id) : std::nullopt;
  bool known = false;
  if (id) {
    const HistoryPoint at{*id, place->offset};
    const int64_t tail = stream_.tail();
    const bool under_old_id = replica || environment_.mistake == SimMistake::kRestartsUnderOldId;
    known = under_old_id ? history_.RestartAsReplica(at, place->begin, tail)
                         : history_.RestartAsPrimary(at, place->begin, tail, environment_.random);
    if (known && !under_old_id) BranchOff(at);
  }
  data_lost_ = !known && replica;
  if (known) {
    kept_ = place->begin;
    stream_.Keep(*this, kept_);
    restart_db_ = place->db;
    stream_.SetDb(place->db);
  }
  StateHistory();
  ClaimTail();
}

std::string SimServer::Base() {
  if (!history_.backlog() || data_lost_) return data_.Rdb(std::nullopt);
  const int db = is_replica() ? data_.db() : SelectedDb();
  return data_.Rdb(SimData::Place{.point = point(), .stream_db = db});
}

/// In which database a stream that comes behind ours goes on, unless it says so.
int SimServer::SelectedDb() const {
  const bool forgets = environment_.mistake == SimMistake::kForgetsDatabase;
  if (history_.IsAsRestarted(stream_.tail()) && !forgets) return restart_db_;
  return std::max(stream_.selected_db(), 0);
}

// ---- what it says

void SimServer::Claim(int64_t offset) {
  if (!history_.backlog() || data_lost_) return;
  if (environment_.ledger.Claim({history_.id1(), offset}, data_.digest())) return;
  environment_.Fail(
      Concat({"the data of ", Text(), " is not that of offset ", std::to_string(offset)}));
}

/// The history has a new name from here on.
void SimServer::BranchOff(const HistoryPoint& at) {
  environment_.ledger.Branch(history_.id1(), at);
  true_id2_limit_ = at.offset + 1;
}

void SimServer::CheckNames() {
  if (history_.id2_limit() == true_id2_limit_) return;
  environment_.Fail("the limit of the second ID is wrong: " + Text());
}

SyncDecision SimServer::Decide(const SyncRequest& request, std::string_view who) {
  SyncServer standing;
  standing.is_replica = is_replica();
  standing.link_up = follower_.up();
  standing.failing_over = failover_.active();
  standing.stream = Extent();
  standing.backlog_size = machine_.backlog_size;
  SyncRequest asked = request;
  const SimMistake mistake = environment_.mistake;
  if (mistake == SimMistake::kGrantsBehindTail) ++standing.stream.tail;
  if (mistake == SimMistake::kGrantsBeforeBacklog) ++standing.backlog_size;
  if (history_.id2().Is(request.id)) {
    const std::string limit = std::to_string(history_.id2_limit());
    const std::string behind = std::to_string(history_.id2_limit() + 1);
    if (mistake == SimMistake::kSecondIdTooLong && request.offset == behind)
      asked.id = history_.id1().text();
    if (mistake == SimMistake::kSecondIdTooShort && request.offset == limit) asked.id = "?";
  }
  SyncDecision decision = DecideSync(history_, asked, standing);
  CheckGrant(request, decision, who);
  return decision;
}

void SimServer::CheckGrant(const SyncRequest& request, const SyncDecision& decision,
                           std::string_view who) {
  const std::optional<ReplicationId> id = ReplicationId::Parse(request.id);
  const std::optional<int64_t> asked = ParseInteger(request.offset);
  if (!request.psync || !id || !asked) return;
  const bool grants = decision.kind == SyncDecision::Kind::kContinue;
  if (!grants && decision.kind != SyncDecision::Kind::kFull) return;
  environment_.Trace({std::to_string(machine_.number), grants ? ": grants " : ": refuses ", who,
                      " ", request.id.substr(0, 6), " ", request.offset});
  const bool kept = history_.backlog() && *asked >= first_byte() && *asked <= offset() + 1;
  if (grants) {
    const bool prefix = environment_.ledger.IsPrefix({*id, *asked - 1}, point());
    const bool in_place = decision.position == history_.PositionOf(*asked);
    if (prefix && kept && in_place && decision.position >= kept_) return;
    return environment_.Fail(
        Concat({"PSYNC ", request.id, " ", request.offset, " was granted wrongly by ", Text(),
                prefix ? "" : ": no prefix"}));
  }
  const bool known = history_.id1() == *id || (history_.id2() == *id && *asked <= true_id2_limit_);
  if (!known || !kept || data_lost_) return;
  environment_.Fail(
      Concat({"PSYNC ", request.id, " ", request.offset, " was refused by ", Text()}));
}

std::string SimServer::Text() const {
  return Concat({"server ", std::to_string(machine_.number), is_replica() ? " (replica of " : " (",
                 is_replica() ? std::to_string(*machine_.primary) : "primary",
                 link_up() ? ", up) " : ") ", history_.id1().text().substr(0, 6), ":",
                 std::to_string(offset()), ", ", history_.id2().text().substr(0, 6), " to ",
                 std::to_string(history_.id2_limit()), data_lost_ ? ", data lost" : ""});
}

// ---- clients

bool SimServer::Write(int64_t write, bool shared) {
  if (is_replica() || paused_ || !log_.healthy()) return false;
  const int db = SimData::DbOf(write);
  const std::string key = SimData::KeyOf(write);
  const std::string value = "value-" + std::to_string(write);
  ChangeBatch batch;
  const auto set = [&](std::string_view name) {
    batch.Add(db, ChangeKind::kCommand, {"SET", name, value});
    data_.Set(db, name, value);
  };
  set(key);
  if (shared) set("shared");
  const int64_t end = log_.file().AppendChanges(batch);
  ends_[write] = history_.OffsetAt(end);
  ClaimTail();
  return true;
}

void SimServer::Replicate(std::initializer_list<std::string_view> words) {
  if (!history_.backlog() || is_replica()) return;
  std::string command;
  AppendCommand(command, std::span<const std::string_view>(words.begin(), words.size()));
  log_.file().AppendUnlogged(command);
  ClaimTail();
}

void SimServer::Publish() { Replicate({"PUBLISH", "channel", "message"}); }

void SimServer::Wait(int64_t write, bool fsynced, bool local) {
  const auto end = ends_.find(write);
  if (end == ends_.end() || is_replica()) return;
  Waiter waiter{.write = write,
                .goal = {.offset = end->second,
                         .replicas = local ? 0 : 1,
                         .fsynced = fsynced,
                         .local = local},
                .deadline_ms = environment_.now_ms() + kWaitMs,
                .ticket = std::nullopt,
                .woken = std::make_shared<bool>(false)};
  Replicate({"REPLCONF", "GETACK", "*"});
  if (environment_.mistake == SimMistake::kWaitCountsConnected && board_.online() > 0)
    return Acknowledge(waiter);
  waiter.ticket =
      board_.Wait(waiter.goal, waiter.deadline_ms, [woken = waiter.woken] { *woken = true; });
  if (!waiter.ticket) return Acknowledge(waiter);
  waiters_.push_back(std::move(waiter));
}

bool SimServer::Holds(const AckBoard::Goal& goal) const {
  const int64_t count =
      goal.fsynced ? board_.CountFsynced(goal.offset) : board_.CountAcked(goal.offset);
  return count >= goal.replicas && (!goal.local || board_.IsLocalSynced(goal.offset));
}

void SimServer::NoteWoken() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!*waiter->woken && Holds(waiter->goal))
      environment_.Fail("a WAIT was not answered: " + Text());
    if (!*waiter->woken) {
      ++waiter;
      continue;
    }
    // Or it was woken by its deadline.
    if (Holds(waiter->goal)) Acknowledge(*waiter);
    waiter = waiters_.erase(waiter);
  }
}

void SimServer::Acknowledge(const Waiter& waiter) {
  Acknowledged done{.write = waiter.write, .holders = {}};
  for (const auto& [connection, peer] : peers_) {
    if (!peer->open() || !peer->is_replica() || !peer->peer().online()) continue;
    const bool counts = environment_.mistake == SimMistake::kWaitCountsConnected;
    const int64_t has = waiter.goal.fsynced ? peer->peer().fack() : peer->peer().ack();
    if (has < waiter.goal.offset && !counts) continue;
    const SimNetwork::Connection* const found = environment_.network.Find(connection);
    if (found == nullptr) continue;
    done.holders.push_back({.server = peer->replica(),
                            .life = waiter.goal.fsynced ? kOnDisk : peer->life(),
                            .loads = found->loads});
  }
  if (waiter.goal.local)
    done.holders.push_back({.server = machine_.number, .life = kOnDisk, .loads = machine_.loads});
  acknowledged_.push_back(std::move(done));
}

std::vector<SimServer::Acknowledged> SimServer::TakeAcknowledged() {
  return std::exchange(acknowledged_, {});
}

void SimServer::EndWaits() {
  for (const Waiter& waiter : waiters_) board_.Cancel(*waiter.ticket);
  waiters_.clear();
}

// ---- the network

void SimServer::Accept(int connection, int replica, int life) {
  peers_[connection] = std::make_unique<SimPeer>(*this, connection, replica, life);
}

size_t SimServer::Receive(int connection, SimEnd end, std::string_view bytes) {
  size_t taken = bytes.size();
  if (end == SimEnd::kReplica) {
    if (follower_.connection() == connection) taken = follower_.Receive(bytes);
  } else if (const auto peer = peers_.find(connection); peer != peers_.end()) {
    peer->second->Receive(bytes);
  }
  RunPosted();
  return taken;
}

void SimServer::NoteEnded(int connection, SimEnd end) {
  if (end == SimEnd::kReplica) {
    if (follower_.connection() == connection) follower_.NoteEnded();
  } else if (const auto peer = peers_.find(connection); peer != peers_.end()) {
    peer->second->NoteLost();
  }
  RunPosted();
}

// ---- time and work

void SimServer::RunPosted() {
  if (failover_answer_) {
    const bool accepted = *std::exchange(failover_answer_, std::nullopt);
    Perform(accepted ? failover_.PsyncAccepted() : failover_.PsyncRejected());
  }
  CheckFailover();
  NoteWoken();
  std::erase_if(peers_, [](const auto& peer) { return !peer.second->open(); });
  CheckNames();
}

void SimServer::NoteSynced() {
  if (const auto position = log_.SyncedPosition()) board_.LocalSynced(history_.OffsetAt(*position));
}

void SimServer::KeepFrom() {
  if (!history_.backlog()) return;
  oldest_cursor_ = INT64_MAX;
  for (const auto& [connection, peer] : peers_)
    oldest_cursor_ = std::min(oldest_cursor_, peer->pinned());
  const int64_t backlog = stream_.Published() - machine_.backlog_size;
  kept_ = std::max(kept_, std::min(backlog, oldest_cursor_));
  stream_.Keep(*this, kept_);
}

void SimServer::Tick() {
  const int64_t now_ms = environment_.now_ms();
  KeepFrom();
  follower_.Tick();
  NoteSynced();
  board_.Expire(now_ms);
  for (const Waiter& waiter : waiters_) {
    if (now_ms >= waiter.deadline_ms && !*waiter.woken)
      environment_.Fail("a WAIT has no end: " + Text());
  }
  if (now_ms >= next_second_ms_) {
    next_second_ms_ = now_ms + 1000;
    Second();
  }
  RunPosted();
}

void SimServer::Second() {
  const int64_t now_ms = environment_.now_ms();
  if (!peers_.empty()) no_replicas_since_ms_ = now_ms;
  if (now_ms >= next_ping_ms_) {
    if (!peers_.empty() && !failover_.active()) Replicate({"PING"});
    next_ping_ms_ = now_ms + kPingEveryMs;
  }
  for (const auto& [connection, peer] : peers_) {
    peer->Handle(PeerSecond{.now_ms = now_ms, .repl_timeout_s = SimEnvironment::kTimeoutS});
  }
  DropIdleBacklog();
}

void SimServer::DropIdleBacklog() {
  const int64_t now_ms = environment_.now_ms();
  if (is_replica() || !peers_.empty() || !history_.backlog() || sync_runs_) return;
  if (!BacklogIsIdle(now_ms, no_replicas_since_ms_, kBacklogTtlS)) return;
  history_.DropBacklog(kBacklogTtlS, environment_.random);
  true_id2_limit_ = ReplicationHistory::kNoLimit;
  StateHistory();
  kept_ = ChangeStream::kNothing;
  stream_.Keep(*this, kept_);
}

void SimServer::Do(Work work, int chance, int most_records) {
  switch (work) {
    case Work::kApply:
      follower_.Apply(most_records);
      break;
    case Work::kServeReplicas:
      for (const auto& [connection, peer] : peers_) {
        peer->Handle(PeerPublished{.position = stream_.Published(),
                                   .at_once = true,
                                   .now_us = environment_.clock.MonotonicUs()});
        peer->Serve();
      }
      break;
    case Work::kBeginSync:
      BeginSync();
      break;
    case Work::kEndSync:
      EndSync(chance != 0);
      break;
    case Work::kFollow:
      follower_.Step(chance == 0);
      break;
    case Work::kSend:
      follower_.Send();
      break;
    case Work::kStepLog:
      log_.Step();
      break;
    case Work::kBeginRewrite:
      log_.BeginRewrite([this] { return Base(); });
      break;
    case Work::kEndRewrite:
      log_.EndRewrite();
      break;
  }
  RunPosted();
}

}  // namespace cloakroom
