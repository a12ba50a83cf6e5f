// The records that this server made as a primary, and may have to give up as a replica.

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/time/time.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

constexpr std::chrono::milliseconds kLook{1};

}  // namespace

/// Notes which records a full sync would lose: those behind `acked`, or all of our own if it is
/// nullopt. `id`: what others call our history. REQUIRES: all gates are closed.
void Replication::NoteDiscarded(const ReplicationId& id, std::optional<int64_t> acked) {
  if (!own_from_ || !history_.backlog()) return;
  const int64_t end = stream_.tail();
  // The chunk in which the kept bytes begin is whole in memory.
  constexpr auto kChunk = static_cast<int64_t>(StreamChunks::kChunkBytes);
  const int64_t first =
      kept_ <= *own_from_ ? *own_from_ : stream_.RecordEnd(kept_ - kept_ % kChunk, end);
  // For a while after a restart some replica may be away whose ACK nobody remembers.
  const int64_t up_ms = server_.clock().NowMs() - server_.started_ms();
  const bool acks_known =
      !restarted_ || up_ms > int64_t{server_.settings().repl_backlog_ttl_s} * 1000;
  const int64_t wanted =
      acked && acks_known ? std::max(history_.PositionOf(*acked + 1), *own_from_) : first;
  const int64_t position = std::clamp(wanted, first, end);
  discarded_ = {.begin = {id, history_.OffsetAt(position)},
                .missing = std::max<int64_t>(first - wanted, 0),
                .first_record = first,
                .position = position,
                .end = end,
                .last_db = std::max(stream_.selected_db(), 0)};
}

void Replication::ForgetOwnRecords() {
  own_from_.reset();
  restarted_ = false;
  discarded_.reset();
}

void Replication::KeepDiscarded() {
  MutexLock keeping(keeping_);
  std::optional<DiscardedTail> tail;
  {
    MutexLock lock(mutex_);
    if (!discarded_) return;
    tail = discarded_;
    read_from_ = tail->first_record;
  }
  // A thread that wrote may still be copying its record.
  while (stream_.Published() < tail->end) std::this_thread::sleep_for(kLook);
  const auto file = KeepDiscardedTail(stream_, *tail, absl::FromUnixMillis(server_.clock().NowMs()),
                                      server_.persistence().files());
  if (tail->missing > 0) {
    LogWarning(
        "{} bytes of commands that only this server may have are lost, before offset {}: its "
        "backlog has not kept them. Raise repl-backlog-size.",
        tail->missing, tail->begin.offset);
  }
  if (!file.ok()) {
    LogWarning(
        "Cannot keep the commands that only this server may have, from offset {} of the "
        "history {} on: {}. They are lost.",
        tail->begin.offset, tail->begin.id.text(), std::string(file.status().message()));
  } else if (*file) {
    LogWarning(
        "This server's data goes, and with it commands that not every replica had "
        "acknowledged: {}, from offset {} of the history {} on. They are kept in {}",
        (*file)->commands, tail->begin.offset, tail->begin.id.text(), (*file)->path);
  }
  MutexLock lock(mutex_);
  read_from_ = INT64_MAX;
  if (discarded_ == tail) discarded_.reset();
}

}  // namespace cloakroom
