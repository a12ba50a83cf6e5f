// The records that this server made as a primary, and may have to give up as a replica.

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "replication/files/file_status.h"
#include "server/context/server.h"
#include "server/context/worker_pool.h"
#include "server/log/log.h"
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
  const int64_t missing = std::max<int64_t>(first - wanted, 0);
  if (position == end && missing == 0) return;
  discarded_ = {.begin = {id, history_.OffsetAt(position)},
                .missing = missing,
                .first_record = first,
                .position = position,
                .end = end,
                .last_db = std::max(stream_.selected_db(), 0)};
  PostTailWork();
}

void Replication::ForgetOwnRecords() {
  own_from_.reset();
  restarted_ = false;
  discarded_.reset();
}

/// The disk must not hold up who changes the role, or serves the link.
void Replication::PostTailWork() {
  server_.workers().Post([this] { DoTailWork(); });
}

/// Does what was posted and is not done yet, in the order in which it was posted.
void Replication::DoTailWork() {
  MutexLock keeping(keeping_);
  RemoveTails();
  WriteTail();
}

void Replication::RemoveTails() {
  {
    MutexLock lock(mutex_);
    if (!std::exchange(remove_tails_, false)) return;
  }
  const absl::Status removed = RemoveUndecidedTails(files_);
  if (removed.ok()) return;
  LogWarning("Cannot remove undecided-*.aof, whose commands the primary has: {}",
             MessageOf(removed));
}

void Replication::WriteTail() {
  std::optional<DiscardedTail> tail;
  {
    MutexLock lock(mutex_);
    if (!discarded_) return;
    tail = discarded_;
    read_from_ = tail->first_record;
    undecided_tails_ = true;
  }
  // A thread that wrote may still be copying its record.
  while (stream_.Published() < tail->end) std::this_thread::sleep_for(kLook);
  const auto file =
      WriteUndecidedTail(stream_, *tail, absl::FromUnixMillis(server_.clock().NowMs()), files_);
  if (tail->missing > 0) {
    LogWarning(
        "Of the commands that only this server may have, {} bytes before offset {} cannot be kept: "
        "they are no longer in its backlog. Raise repl-backlog-size.",
        tail->missing, tail->begin.offset);
  }
  if (!file.ok()) {
    LogWarning(
        "Cannot keep the commands that only this server may have, from offset {} of the history {} "
        "on: {}",
        tail->begin.offset, tail->begin.id.text(), MessageOf(file.status()));
  } else if (*file) {
    LogNotice(
        "Not every replica has acknowledged the last {} commands, from offset {} of the history {} "
        "on. Until the primary shows whether it has them, they are in {}",
        (*file)->commands, tail->begin.offset, tail->begin.id.text(), (*file)->path);
  }
  MutexLock lock(mutex_);
  read_from_ = INT64_MAX;
  // After a failure KeepDiscarded tries again.
  if (file.ok() && discarded_ == tail) discarded_.reset();
}

void Replication::KeepDiscarded() {
  MutexLock keeping(keeping_);
  RemoveTails();
  WriteTail();
  {
    MutexLock lock(mutex_);
    discarded_.reset();
    // If it fails, what is kept must stay.
    undecided_tails_ = false;
  }
  const absl::StatusOr<std::vector<std::string>> paths = KeepDiscardedTails(files_);
  if (!paths.ok()) {
    LogWarning("Cannot rename undecided-*.aof, whose commands are lost, to discarded-*.aof: {}",
               MessageOf(paths.status()));
    return;
  }
  for (const std::string& path : *paths) {
    LogWarning(
        "This server's data goes, and with it commands that not every replica had acknowledged. "
        "They are kept in {}",
        path);
  }
}

}  // namespace cloakroom
