#include "server/net/replication_thread.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/persistence/snapshot_options.h"
#include "server/session/client_registry.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/keyspace.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {

ReplicationThread::ReplicationThread(Server& server) : server_(server), spools_(server, Poster()) {
  server.replication().set_transport(this);
}

ReplicationThread::~ReplicationThread() {
  server_.replication().set_transport(nullptr);
  {
    MutexLock lock(mailbox_->mutex);
    mailbox_->stopped = true;
  }
  std::thread thread;
  {
    MutexLock lock(mutex_);
    ended_ = true;
    thread = std::move(thread_);
  }
  poller_.Wake();
  if (thread.joinable()) thread.join();
  primary_.reset();
  server_.replication().StopApplier();
}

// ---- from other threads

bool ReplicationThread::Mailbox::Post(std::function<void()> task) {
  MutexLock lock(mutex);
  if (stopped) return false;
  tasks.push_back(std::move(task));
  // With the mutex held, since the poller goes after the thread was told to end.
  poller.Wake();
  return true;
}

void ReplicationThread::Post(std::function<void()> task) {
  if (!mailbox_->Post(std::move(task))) return;
  MutexLock lock(mutex_);
  if (!ended_ && !thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void ReplicationThread::Adopt(NewReplica replica) {
  // Shared, since a std::function must be copyable.
  auto shared = std::make_shared<NewReplica>(std::move(replica));
  Post([this, shared] {
    const std::shared_ptr<Client> client = shared->client;
    auto connection = std::make_shared<ReplicaConnection>(*this, std::move(*shared));
    client->link = connection;
    server_.clients().Add(client);
    replicas_.push_back(connection);
    connection->Begin();
  });
}

void ReplicationThread::StreamMoved() {
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) poller_.Wake();
}

void ReplicationThread::RequestAcks() {
  if (server_.replication().board().online() == 0) return;
  Post([this] { wants_acks_ = true; });
}

void ReplicationThread::WatchLog() {
  // Every turn notes it.
  Post([] {});
}

void ReplicationThread::Dismiss() {
  Post([this] {
    for (const auto& replica : Connections(replicas_)) replica->Handle(PeerDismissed{});
  });
}

void ReplicationThread::Follow(Replication::Following following) {
  Post([this, following] { primary().Follow(following); });
}

void ReplicationThread::Unfollow() {
  Post([this] { primary().Unfollow(); });
}

void ReplicationThread::AnswerAck(int64_t position) {
  Post([this, position] { primary().AnswerAck(position); });
}

void ReplicationThread::ReadPrimary() {
  Post([this] { primary().TryAgain(); });
}

void ReplicationThread::StreamBroken(absl::Status error) {
  Post([this, error] { primary().StreamBroken(error); });
}

// ---- the thread

PrimaryConnection& ReplicationThread::primary() {
  if (primary_ == nullptr) primary_ = std::make_shared<PrimaryConnection>(*this);
  return *primary_;
}

int64_t ReplicationThread::SteadyUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void ReplicationThread::Run() {
  MemoryMeter::RegisterThread();
  next_second_ms_ = now_ms();
  no_replicas_since_ms_ = last_ping_ms_ = now_ms();
  for (;;) {
    {
      MutexLock lock(mailbox_->mutex);
      if (mailbox_->stopped) break;
    }
    RunTasks();
    Serve();
    MemoryMeter::Publish();
    Wait();
  }
  for (const auto& replica : Connections(replicas_)) replica->Close();
}

void ReplicationThread::RunTasks() {
  std::vector<std::function<void()>> tasks;
  {
    MutexLock lock(mailbox_->mutex);
    tasks.swap(mailbox_->tasks);
  }
  for (const auto& task : tasks) task();
}

void ReplicationThread::Serve() {
  if (SteadyUs() >= next_turn_us_) Turn();
  if (std::exchange(wants_acks_, false)) {
    server_.persistence().journal().Replicate({"REPLCONF", "GETACK", "*"});
    feed_at_us_ = 0;
  }
  FeedReplicas();
  SpoolStream();
  serve_again_ = false;
  if (primary_ != nullptr) primary_->Serve();
  for (const auto& replica : Connections(replicas_)) replica->Serve();
  DropClosed();
  PublishFacts();
  if (server_.replication().failing_over()) server_.replication().CheckFailover();
}

void ReplicationThread::FeedReplicas() {
  const int64_t now_us = SteadyUs();
  const int64_t seen = server_.replication().stream().Published();
  published_ = std::max(published_, seen);
  const bool at_once = std::exchange(feed_at_us_, INT64_MAX) == 0;
  for (const auto& replica : Connections(replicas_)) replica->Feed(published_, at_once, now_us);
}

void ReplicationThread::Turn() {
  next_turn_us_ = SteadyUs() + kTurnUs;
  KeepStream();
  spools_.Turn();
  if (syncing_) RelieveSync();
  if (!group_.empty()) StartGroup();
  if (primary_ != nullptr) primary_->Tick();
  server_.replication().NoteSynced();
  const int64_t now = now_ms();
  server_.replication().board().Expire(now);
  if (now < next_second_ms_) return;
  next_second_ms_ = now + 1000;
  Second();
}

void ReplicationThread::Second() {
  const int64_t now = now_ms();
  if (!replicas_.empty()) no_replicas_since_ms_ = now;
  if (now >= last_ping_ms_ + server_.settings().repl_ping_replica_period_s * 1000) {
    // A failover waits until a replica has the whole stream.
    const bool pings = !replicas_.empty() && !server_.replication().failing_over();
    if (pings) server_.persistence().journal().Replicate({"PING"});
    last_ping_ms_ = now;
  }
  for (const auto& replica : Connections(replicas_)) replica->Tick(now);
  server_.replication().CountReplicas();
  const bool idle = replicas_.empty() && spools_.stream().copying() == StreamSpool::kNobody;
  if (idle) server_.replication().DropIdleBacklog(now, no_replicas_since_ms_);
}

void ReplicationThread::SpoolStream() {
  int64_t slowest = StreamSpool::kNobody;
  for (const auto& replica : replicas_) slowest = std::min(slowest, replica->pinned());
  spools_.Follow(slowest, published_);
}

void ReplicationThread::KeepStream() {
  int64_t oldest = spools_.stream().copying();
  for (const auto& replica : replicas_) {
    oldest = std::min(oldest, spools_.stream().InMemory(replica->pinned()));
  }
  server_.replication().KeepFrom(oldest);
}

void ReplicationThread::DropClosed() {
  if (!std::exchange(closed_, false)) return;
  const auto gone = [](const auto& replica) { return !replica->open(); };
  std::erase_if(replicas_, gone);
  std::erase_if(group_, gone);
  std::erase_if(sync_group_, gone);
  // With save points it is a save as well.
  if (syncing_ && sync_group_.empty() && !HasSavePoints(server_.config())) *sync_unwanted_ = true;
}

void ReplicationThread::PublishFacts() {
  std::vector<ReplicaFacts> facts;
  facts.reserve(replicas_.size());
  const int64_t now = now_ms();
  for (const auto& replica : replicas_) {
    if (!replica->peer().state_name().empty()) facts.push_back(replica->Facts(facts.size(), now));
  }
  server_.replication().SetFacts(std::move(facts), spools_.space()->used());
}

void ReplicationThread::Wait() {
  using std::chrono::microseconds;
  ChangeStream& stream = server_.replication().stream();
  // While it gathers it is woken by the alarm.
  const bool listens = feed_at_us_ == INT64_MAX && !replicas_.empty();
  bool may_wait = !serve_again_;
  if (listens) {
    stream.Listen();
    asleep_.store(true, std::memory_order_seq_cst);
    if (stream.Published() > published_) may_wait = false;
  }
  const int64_t due_us = std::min(next_turn_us_, feed_at_us_);
  poller_.SetAlarm(Poller::Time(microseconds(due_us)));
  poller_.Round(may_wait);
  if (listens) {
    asleep_.store(false, std::memory_order_seq_cst);
    stream.EndListening();
  }
}

// ---- full syncs

void ReplicationThread::JoinGroup(ReplicaConnection& replica) {
  if (group_.empty()) group_since_ms_ = now_ms();
  group_.push_back(replica.shared_from_this());
  StartGroup();
}

bool ReplicationThread::GroupIsDue() const {
  const Config& settings = server_.settings();
  if (!settings.repl_diskless_sync || !group_.front()->can_read_mark()) return true;
  const int64_t most = settings.repl_diskless_sync_max_replicas;
  if (most > 0 && static_cast<int64_t>(group_.size()) >= most) return true;
  return now_ms() - group_since_ms_ >= settings.repl_diskless_sync_delay_s * 1000;
}

void ReplicationThread::StartGroup() {
  if (syncing_ || group_.empty() || !GroupIsDue()) return;
  // One RDB for those that want the same.
  const ReplicaOptions& first = group_.front()->peer().options();
  Connections chosen;
  for (const auto& replica : group_) {
    const ReplicaOptions& other = replica->peer().options();
    const bool same = other.exclude_data == first.exclude_data &&
                      other.exclude_functions == first.exclude_functions &&
                      other.capa_eof == first.capa_eof;
    if (same) chosen.push_back(replica);
  }
  BeginSync(std::move(chosen));
}

void ReplicationThread::BeginSync(Connections group) {
  const ReplicaOptions& wanted = group.front()->peer().options();
  const bool by_file =
      !server_.settings().repl_diskless_sync || !wanted.capa_eof || slow_syncs_ >= kMaxSlowSyncs;
  FullSync sync = {.exclude_data = wanted.exclude_data,
                   .exclude_functions = wanted.exclude_functions,
                   .unwanted = sync_unwanted_ = std::make_shared<std::atomic<bool>>(false)};
  std::optional<ReplicationId> mark;
  if (!by_file) {
    mark = ReplicationId::Random(random_);
    sync.sink = std::make_shared<FanOutSink>([mailbox = mailbox_] { mailbox->Post([] {}); },
                                             spools_.space());
  }
  sync.at_instant = [this, mailbox = mailbox_, group,
                     mark](const Replication::FullSyncPoint& begin) {
    mailbox->Post([this, group, mark, begin] { OnInstant(group, begin, mark); });
  };
  sync.done = [this, mailbox = mailbox_, group, by_file](const absl::Status& status) {
    mailbox->Post([this, group, by_file, status] { OnDone(group, status, by_file); });
  };
  sink_ = sync.sink;
  sync_was_slow_ = false;
  // Before it begins: without readers the sink would end the RDB.
  for (const auto& replica : group) replica->set_sink(sync.sink);
  if (BeginFullSync(server_, std::move(sync)) != BackgroundWork::Kind::kNone) {
    // Something else is being saved: again in a moment.
    for (const auto& replica : group) replica->set_sink(nullptr);
    return;
  }
  LogNotice("Starting BGSAVE for SYNC with target: {}", by_file ? "disk" : "replicas sockets");
  syncing_ = true;
  sync_group_ = group;
  std::erase_if(group_, [&](const auto& replica) {
    return std::find(group.begin(), group.end(), replica) != group.end();
  });
  if (!group_.empty()) group_since_ms_ = now_ms();
}

void ReplicationThread::OnInstant(const Connections& group, const Replication::FullSyncPoint& begin,
                                  const std::optional<ReplicationId>& mark) {
  for (const auto& replica : group) {
    replica->Handle(PeerInstant{.id = begin.point.id,
                                .offset = begin.point.offset,
                                .position = begin.position,
                                .mark = mark});
  }
  server_.replication().EndPin();
}

void ReplicationThread::RelieveSync() {
  const std::shared_ptr<FanOutSink> sink = sink_.lock();
  if (sink == nullptr) return;
  const std::optional<FanOutSink::Reader> slowest = sink->HoldsUp();
  const auto kept = static_cast<int64_t>(server_.keyspace().snapshot().pre_image_bytes());
  const auto most = static_cast<int64_t>(SnapshotOptionsFrom(server_).max_pre_image_bytes);
  if (!slowest || kept < most / 2) return;
  const auto is_slowest = [&](const auto& replica) { return replica->id() == *slowest; };
  const auto found = std::find_if(replicas_.begin(), replicas_.end(), is_slowest);
  if (found == replicas_.end()) return;
  sync_was_slow_ = true;
  (*found)->DropAsTooSlow(absl::StrCat(
      "Replica ", (*found)->peer().name(),
      " takes its RDB too slowly: what changes meanwhile fills ", kept,
      " bytes of memory, and the spool is full. Raise repl-spool-size, or find out what slows "
      "it down."));
}

void ReplicationThread::OnDone(const Connections& group, const absl::Status& status, bool by_file) {
  syncing_ = false;
  sync_group_.clear();
  slow_syncs_ = sync_was_slow_ ? slow_syncs_ + 1 : 0;
  server_.replication().EndPin();
  if (!status.ok()) {
    for (const auto& replica : group) {
      replica->Handle(PeerSaveFailed{});
      replica->Handle(PeerSnapshotRefused{});
    }
    return;
  }
  LogNotice("Background RDB transfer terminated with success");
  if (!by_file) return;
  struct stat file{};
  const std::string path = server_.config().Text("dbfilename");
  const int64_t length = stat(path.c_str(), &file) == 0 ? file.st_size : -1;
  for (const auto& replica : group) {
    if (length < 0) {
      replica->Handle(PeerSaveFailed{});
    } else {
      replica->Handle(PeerFileReady{.length = length});
    }
  }
}

}  // namespace cloakroom
