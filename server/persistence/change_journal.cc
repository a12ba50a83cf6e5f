#include "server/persistence/change_journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/stream/command_encoder.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/metrics/latency_monitor.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

ChangeJournal::ChangeJournal(Server& server, Files& files)
    : server_(server),
      stream_(server.stream()),
      file_(stream_, files, server.clock(),
            {.directory = server.config().Text("appenddirname"),
             .name = server.config().Text("appendfilename"),
             .fsync = server.settings().appendfsync,
             .timestamps = server.settings().aof_timestamp_enabled,
             .oldest = server.settings().repl_oldest_replica},
            this) {
  FollowSettings();
}

void ChangeJournal::FollowSettings() {
  server_.config().Subscribe({"appendfsync", "aof-timestamp-enabled"}, [this] {
    MutexLock lock(append_mutex_);
    SetReadersWait();
    file_.set_fsync(server_.settings().appendfsync);
    file_.set_timestamps(server_.settings().aof_timestamp_enabled);
    return absl::OkStatus();
  });
}

void ChangeJournal::AofNotice(std::string_view text) { LogNotice("{}", text); }

void ChangeJournal::AofWarning(std::string_view text) { LogWarning("{}", text); }

void ChangeJournal::AofLatency(std::string_view event, int64_t us) {
  const int64_t threshold_ms = server_.settings().latency_monitor_threshold_ms;
  if (threshold_ms == 0 || us / 1000 < threshold_ms) return;
  server_.latency().Add(event, server_.clock().NowMs() / 1000, us / 1000);
}

ChangePlace ChangeJournal::Reserve(const ChangeBatch& batch, SeenOffset* writer, GateSlot slot) {
  // Detached while a command ran, or without a hold: its changes are not logged.
  if (!feeds()) return {};
  if (!readers_wait() || !batch.awaited()) writer = nullptr;
  const ChangePlace place = file_.Reserve(
      batch, slot, writer != nullptr ? AofPending::Due::kOnDemand : AofPending::Due::kNow);
  if (writer != nullptr) writer->See(place.end);
  return place;
}

int64_t ChangeJournal::buffered_bytes() const {
  const int64_t pending = on() ? file_.buffered_bytes() : 0;
  if (!replicated()) return pending;
  // As in Redis, what a slow replica has not read evicts no keys, but the backlog counts.
  return std::max(pending, stream_.memory() - server_.settings().repl_backlog_size_bytes);
}

void ChangeJournal::SeeEverything(HoldContext& holds) {
  if (holds.seen == nullptr) return;
  if (readers_wait() && on() && file_.healthy()) holds.seen->See(appended());
}

void ChangeJournal::Scope::Push(const std::shared_ptr<ClientLink>& link, Pushed pushed) {
  if (journal_.readers_wait() && journal_.on() && client_ != link.get()) {
    if (push_offset_ == nullptr) push_offset_ = std::make_shared<PushOffset>();
    pushed.offset = push_offset_;
    receivers_.insert(link);
  }
  link->Push(std::move(pushed));
}

ChangeJournal::Scope::~Scope() {
  holds_.seen = outer_;
  End();
}

void ChangeJournal::Scope::End() {
  if (push_offset_ == nullptr) [[likely]]
    return;
  std::exchange(push_offset_, nullptr)->durable_from.store(offset(), std::memory_order_release);
  for (const auto& receiver : std::exchange(receivers_, {})) receiver->OffsetsAreKnown();
}

void ChangeJournal::LogScripts(HoldContext& holds, std::initializer_list<std::string_view> words,
                               absl::FunctionRef<void()> change) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kCommand, words);
  batch.NoteAwaited();
  MutexLock lock(scripts_mutex_);
  change();
  // After the change: the base of a log that begins in between contains it.
  MutexLock append_lock(append_mutex_);
  Complete(batch, Reserve(batch, holds.seen, ChangeStream::kNoSlot));
}

std::string ChangeJournal::Refusal() const {
  const std::string error = file_.info().last_error;
  return absl::StrCat("MISCONF Errors writing to the AOF file: ",
                      error.empty() ? "the disk is too slow for what is written" : error);
}

bool ChangeJournal::WantsRewrite() const {
  const Config& settings = server_.settings();
  const int percentage = settings.auto_aof_rewrite_percentage;
  if (!on() || percentage == 0) return false;
  const AppendOnlyFile::Info info = file_.info();
  if (info.current_size <= settings.auto_aof_rewrite_min_size_bytes) return false;
  const int64_t base = std::max<int64_t>(info.base_size, 1);
  return (info.current_size - base) * 100 / base >= percentage;
}

void ChangeJournal::Attach() {
  MutexLock lock(append_mutex_);
  on_ = true;
  FeedChanges();
}

void ChangeJournal::Detach() {
  MutexLock lock(append_mutex_);
  on_ = false;
  FeedChanges();
}

void ChangeJournal::set_replicated(bool replicated) {
  MutexLock lock(append_mutex_);
  replicated_ = replicated;
  FeedChanges();
}

void ChangeJournal::set_following(bool following) {
  MutexLock lock(append_mutex_);
  following_ = following;
  FeedChanges();
}

void ChangeJournal::set_sealed(bool sealed) {
  MutexLock lock(append_mutex_);
  sealed_ = sealed;
}

void ChangeJournal::FeedChanges() {
  SetReadersWait();
  server_.keyspace().feed().set_log(feeds() ? this : nullptr);
}

void ChangeJournal::SetReadersWait() {
  set_readers_wait(on() && !following() && server_.settings().appendfsync == AofFsync::kAlways);
}

void ChangeJournal::Replicate(std::initializer_list<std::string_view> words) {
  if (!replicated() || following()) return;
  std::string command;
  AppendCommand(command, std::span<const std::string_view>(words.begin(), words.size()));
  MutexLock lock(append_mutex_);
  if (following() || sealed_) return;
  file_.AppendUnlogged(command);
}

void ChangeJournal::Switch() { file_.Switch(); }

}  // namespace cloakroom
