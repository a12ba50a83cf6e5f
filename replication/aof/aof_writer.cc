#include "replication/aof/aof_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "replication/files/file_status.h"

namespace cloakroom {

AofWriter::AofWriter(Files& files, const Clock& clock, AofDirectory& directory, AofPending& pending,
                     AofFsync fsync, AofObserver* observer)
    : files_(files),
      clock_(clock),
      directory_(directory),
      pending_(pending),
      observer_(observer),
      // So that the first bytes are synced at once.
      last_sync_us_(clock.MonotonicUs() - kFsyncEveryUs),
      last_statement_us_(clock.MonotonicUs() - kStateEveryUs),
      fsync_(fsync) {}

void AofWriter::Open(AofNewFile file, int64_t size) {
  Restart();
  current_ = std::move(file);
  SetSize(size);
  writeback_at_ = size + kWritebackEvery;
}

void AofWriter::Restart() {
  MutexLock lock(mutex_);
  if (!std::exchange(finished_, false)) return;
  // What could not be saved is given up: it goes into no later file.
  StartAt(pending_.appended());
}

void AofWriter::StartAt(int64_t offset) {
  claimed_ = offset;
  written_.store(offset, std::memory_order_release);
  synced_.store(offset, std::memory_order_release);
  durable_.store(offset, std::memory_order_release);
  DropKept();
}

AofFsync AofWriter::policy() const {
  return fsync_paused_.load(std::memory_order_relaxed) ? AofFsync::kNo
                                                       : fsync_.load(std::memory_order_relaxed);
}

// ---- one step

AofWriter::Wait AofWriter::Step() {
  TakePending();
  const absl::Status status = Work(false);
  status.ok() ? Recover() : Fail(status);
  AdvanceDurable();
  WakeDurable();
  return NextWait();
}

absl::Status AofWriter::Finish() {
  pending_.AwaitComplete();
  TakePending();
  absl::Status status = Work(true);
  if (!status.ok()) Fail(status);
  AdvanceDurable();
  GiveUpMoves();
  current_ = {};
  marks_.clear();
  kept_marks_.clear();
  pending_.KeepNothing();
  dirty_ = false;
  rewrite_unsynced_ = false;
  history_ = {};
  left_out_ = false;
  failing_.store(false, std::memory_order_release);
  WakeAll();
  return status;
}

/// So that the count agrees with that of the threads that asked for the moves.
void AofWriter::GiveUpMoves() {
  MutexLock lock(mutex_);
  for (const AofMark& mark : marks_) moves_ += mark.new_file ? 1 : 0;
  last_failure_ = absl::OkStatus();
}

void AofWriter::TakePending() {
  statement_due_ = UntilStatement() <= 0;
  pending_.set_unlogged_wakes(statement_due_);
  claimed_ = pending_.Claim();
  pending_.TakeMarks(marks_);
}

absl::Status AofWriter::Work(bool finishing) {
  if (absl::Status status = Reopen(); !status.ok()) return status;
  if (absl::Status status = WriteAll(finishing); !status.ok()) return status;
  return SyncIfDue(finishing);
}

AofWriter::Wait AofWriter::NextWait() const {
  if (failing()) return {kRetryUs, false, 0};
  Wait wait = WaitForWork();
  // Bytes that are left out do not wake it then. It may be due by now, if the disk was slow.
  if (!statement_due_) wait.us = std::min(wait.us, std::max<int64_t>(UntilStatement(), 0));
  return wait;
}

int64_t AofWriter::UntilStatement() const {
  return last_statement_us_ + kStateEveryUs - clock_.MonotonicUs();
}

AofWriter::Wait AofWriter::WaitForWork() const {
  AofFsync fsync = policy();
  if (fsync == AofFsync::kAlways) return {kForever, true, 0};
  int64_t us = kForever;
  if (fsync == AofFsync::kEverySec && dirty_) {
    us = std::max<int64_t>(last_sync_us_ + kFsyncEveryUs - clock_.MonotonicUs(), 0);
  }
  return {us, true, AofPending::kGatherUs};
}

// ---- writing

absl::Status AofWriter::WriteAll(bool finishing) {
  int64_t started_us = clock_.MonotonicUs();
  if (written_offset() == claimed_ && marks_.empty() && !left_out_) return absl::OkStatus();
  while (!marks_.empty()) {
    AofMark& mark = marks_.front();
    if (absl::Status status = WriteUpTo(mark.position); !status.ok()) return status;
    if (absl::Status status = WriteMark(mark); !status.ok()) return status;
    kept_marks_.push_back(std::move(mark));
    marks_.pop_front();
  }
  if (absl::Status status = WriteUpTo(claimed_); !status.ok()) return status;
  if (left_out_ && (finishing || statement_due_)) {
    // Replicas may have these bytes: if the server dies now, they are to be accounted for.
    if (absl::Status status = StateOffset(); !status.ok()) return status;
    last_statement_us_ = started_us;
    statement_due_ = false;
    pending_.set_unlogged_wakes(false);
  }
  if (observer_ != nullptr) observer_->AofLatency("aof-write", clock_.MonotonicUs() - started_us);
  return absl::OkStatus();
}

absl::Status AofWriter::WriteUpTo(int64_t offset) {
  // Between two logs: what others appended to the stream is in neither.
  if (current_.path.empty() && written_offset() < offset) {
    written_.store(offset, std::memory_order_release);
    DropKept();
    return absl::OkStatus();
  }
  while (written_offset() < offset) {
    const int64_t wanted = std::min(written_offset() + kStretch, offset);
    const int64_t end = pending_.stream().RecordEnd(wanted, offset);
    if (absl::Status status = WriteStretch(end); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AofWriter::WriteStretch(int64_t end) {
  if (absl::Status status = StateOffset(); !status.ok()) return status;
  const int64_t begin = written_offset();
  if (absl::Status status = AppendStream(begin, end); !status.ok()) return status;
  written_.store(end, std::memory_order_release);
  Written(end - begin);
  if (size_ >= writeback_at_) {
    current_.file->StartWriteback();
    writeback_at_ = size_ + kWritebackEvery;
  }
  if (policy() == AofFsync::kNo) {
    DropKept();
    return absl::OkStatus();
  }
  return unsynced_bytes_ >= kMaxUnsynced ? Sync() : absl::OkStatus();
}

absl::Status AofWriter::WriteMark(AofMark& mark) {
  if (mark.new_file) {
    if (absl::Status status = MoveTo(*mark.new_file); !status.ok()) return status;
    mark.new_file.reset();
    // It knows nothing of the old one.
    history_ = {};
    left_out_ = false;
  }
  // Bytes that the log leaves out may have come to the same position.
  if (mark.skipped == 0) mark.position = std::max(mark.position, written_offset());
  // Between two logs there is no file.
  std::string text = current_.path.empty() ? "" : TextOf(mark);
  if (absl::Status status = Append(text); !status.ok()) return status;
  Written(static_cast<int64_t>(text.size()));
  if (mark.history) history_ = *mark.history;
  // A whole statement, or nothing but bytes that are left out, or what has no place in the stream.
  if (mark.history || (mark.skipped > 0 && !mark.text.empty())) left_out_ = false;
  if (mark.skipped > 0) {
    left_out_ = left_out_ || (history_.known() && mark.text.empty());
    const int64_t end = std::max(mark.position + mark.skipped, written_offset());
    written_.store(end, std::memory_order_release);
  }
  mark.text = std::move(text);
  return absl::OkStatus();
}

/// What the file gets for the mark. A command that is not the stream's stands between two
/// statements, so that no byte of it is taken for the history's, wherever the file is cut off.
std::string AofWriter::TextOf(const AofMark& mark) const {
  if (mark.history) return mark.text + mark.history->Line(mark.position);
  if (mark.skipped == 0 || mark.text.empty() || !history_.known()) return mark.text;
  return AofHistory().Line(0) + mark.text + history_.Line(mark.position + mark.skipped);
}

/// If bytes were left out since the last statement.
absl::Status AofWriter::StateOffset() {
  if (!left_out_) return absl::OkStatus();
  std::string text = history_.OffsetLine(written_offset());
  if (absl::Status status = Append(text); !status.ok()) return status;
  Written(static_cast<int64_t>(text.size()));
  kept_marks_.push_back({.position = written_offset(), .text = std::move(text)});
  left_out_ = false;
  return absl::OkStatus();
}

void AofWriter::Written(int64_t file_bytes) {
  if (file_bytes == 0) return;
  dirty_ = true;
  SetSize(size_ + file_bytes);
  unsynced_bytes_ += file_bytes;
}

absl::Status AofWriter::Append(std::string_view bytes) {
  if (bytes.empty()) return absl::OkStatus();
  absl::Status status = current_.file->Append(bytes);
  if (!status.ok()) current_.file.reset();
  return status;
}

absl::Status AofWriter::AppendStream(int64_t begin, int64_t end) {
  absl::Status status;
  pending_.stream().Read(begin, end, [&](std::string_view piece) {
    if (status.ok()) status = Append(piece);
  });
  return status;
}

absl::Status AofWriter::MoveTo(AofNewFile& next) {
  if (current_.file != nullptr && dirty_) {
    if (absl::Status status = Sync(); !status.ok()) return status;
  }
  if (absl::Status status = directory_.CommitIncr(); !status.ok()) return status;
  other_bytes_.fetch_add(size_, std::memory_order_relaxed);
  current_ = std::move(next);
  SetSize(0);
  writeback_at_ = kWritebackEvery;
  {
    MutexLock lock(mutex_);
    moves_++;
  }
  progress_.NotifyAll();
  return absl::OkStatus();
}

void AofWriter::SetSize(int64_t size) {
  size_ = size;
  file_size_.store(size, std::memory_order_relaxed);
}

absl::Status AofWriter::Reopen() {
  if (current_.file != nullptr || current_.path.empty()) {
    return absl::OkStatus();
  }
  // A part of a record at the end would be a torn tail if the server died now. Best effort: the
  // next write overwrites it.
  if (files_.Size(current_.path).value_or(0) > size_) (void)files_.Truncate(current_.path, size_);
  const int64_t from = size_ - (rewrite_unsynced_ ? unsynced_bytes_ : 0);
  auto file = files_.OpenAt(current_.path, from);
  if (!file.ok()) return file.status();
  current_.file = *std::move(file);
  if (!rewrite_unsynced_) return absl::OkStatus();
  if (absl::Status status = AppendKept(); !status.ok()) return status;
  return Sync();
}

/// Appends what was written since the last fsync that succeeded.
absl::Status AofWriter::AppendKept() {
  int64_t begin = kept_offset();
  for (const AofMark& mark : kept_marks_) {
    if (absl::Status status = AppendStream(begin, mark.position); !status.ok()) return status;
    if (absl::Status status = Append(mark.text); !status.ok()) return status;
    begin = mark.position + mark.skipped;
  }
  return AppendStream(begin, written_offset());
}

// ---- syncing

absl::Status AofWriter::SyncIfDue(bool finishing) {
  if (!dirty_) {
    // What came since the last fsync is not in the log.
    if (kept_offset() < written_offset()) NoteSynced();
    return absl::OkStatus();
  }
  AofFsync fsync = policy();
  // The policy has changed: nothing more is promised for the kept bytes.
  if (fsync == AofFsync::kNo && !rewrite_unsynced_) DropKept();
  bool due =
      finishing || fsync == AofFsync::kAlways ||
      (fsync == AofFsync::kEverySec && clock_.MonotonicUs() - last_sync_us_ >= kFsyncEveryUs);
  return due ? Sync() : absl::OkStatus();
}

absl::Status AofWriter::Sync() {
  last_sync_us_ = clock_.MonotonicUs();
  absl::Status status = current_.file->Sync();
  NoteFsync(last_sync_us_);
  if (!status.ok()) {
    rewrite_unsynced_ = true;
    current_.file.reset();
    return status;
  }
  rewrite_unsynced_ = false;
  dirty_ = false;
  NoteSynced();
  return absl::OkStatus();
}

void AofWriter::NoteSynced() {
  DropKept();
  synced_.store(written_offset(), std::memory_order_release);
}

void AofWriter::NoteFsync(int64_t started_us) {
  int64_t us = clock_.MonotonicUs() - started_us;
  last_fsync_us_.store(us, std::memory_order_relaxed);
  last_fsync_at_ms_.store(clock_.NowMs(), std::memory_order_relaxed);
  if (us > kSlowFsyncUs) delayed_fsyncs_.fetch_add(1, std::memory_order_relaxed);
  if (observer_ != nullptr && policy() == AofFsync::kAlways) {
    observer_->AofLatency("aof-fsync-always", us);
  }
}

void AofWriter::DropKept() {
  kept_marks_.clear();
  unsynced_bytes_ = 0;
  kept_.store(written_offset(), std::memory_order_relaxed);
  pending_.KeepFrom(kept_offset());
}

// ---- how it goes

void AofWriter::Fail(const absl::Status& error) {
  const std::string text = MessageOf(error);
  bool news = !failing();
  {
    MutexLock lock(mutex_);
    news = news || text != MessageOf(last_failure_);
    last_failure_ = error;
    failing_.store(true, std::memory_order_release);
  }
  progress_.NotifyAll();
  if (news && observer_ != nullptr) {
    observer_->AofWarning("Error writing to the AOF file: " + text +
                          ". Trying again every second; writes are refused until it works.");
  }
}

void AofWriter::Recover() {
  if (!failing()) return;
  {
    MutexLock lock(mutex_);
    last_failure_ = absl::OkStatus();
    failing_.store(false, std::memory_order_release);
  }
  if (observer_ != nullptr) observer_->AofNotice("The AOF can be written again; so can keys.");
}

std::string AofWriter::last_error() const {
  MutexLock lock(mutex_);
  return ErrnoText(last_failure_);
}

void AofWriter::set_fsync(AofFsync fsync) {
  fsync_.store(fsync, std::memory_order_relaxed);
  pending_.Wake();
}

void AofWriter::set_fsync_paused(bool paused) {
  fsync_paused_.store(paused, std::memory_order_relaxed);
  pending_.Wake();
}

// ---- waiting

/// Never goes back, though the policy may have become stricter: an offset that was durable for one
/// caller is durable for the next.
void AofWriter::AdvanceDurable() {
  const int64_t kept = policy() == AofFsync::kAlways ? synced_offset() : written_offset();
  durable_.store(std::max(durable_offset(), kept), std::memory_order_release);
}

bool AofWriter::WhenDurable(int64_t offset, std::function<void()> wake) {
  // Reads the offset with the mutex held: WakeDurable() takes it after the offset has moved.
  MutexLock lock(mutex_);
  if (durable_offset() >= offset || finished_) return true;
  waiters_.push_back({offset, std::move(wake)});
  return false;
}

void AofWriter::WakeDurable() {
  std::vector<Waiter> ready;
  {
    // After the offset has moved; else a thread that has checked and does not wait yet would miss
    // it.
    MutexLock lock(mutex_);
    const int64_t durable = durable_offset();
    const auto first_ready =
        std::partition(waiters_.begin(), waiters_.end(),
                       [durable](const Waiter& waiter) { return waiter.offset > durable; });
    ready.assign(std::move_iterator(first_ready), std::move_iterator(waiters_.end()));
    waiters_.erase(first_ready, waiters_.end());
  }
  progress_.NotifyAll();
  for (Waiter& waiter : ready) waiter.wake();
}

void AofWriter::WakeAll() {
  std::vector<Waiter> ready;
  {
    MutexLock lock(mutex_);
    ready.swap(waiters_);
    finished_ = true;
  }
  progress_.NotifyAll();
  for (Waiter& waiter : ready) waiter.wake();
}

int64_t AofWriter::moves() const {
  MutexLock lock(mutex_);
  return moves_;
}

absl::Status AofWriter::AwaitWritten(int64_t offset) {
  MutexLock lock(mutex_);
  while (written_offset() < offset && !finished_ && !failing()) progress_.Wait(mutex_);
  return failing() ? last_failure_ : absl::OkStatus();
}

bool AofWriter::AwaitDurable(int64_t offset, int64_t us) {
  if (durable_offset() >= offset) return true;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(us);
  MutexLock lock(mutex_);
  while (durable_offset() < offset && !finished_ && !failing()) {
    if (!progress_.WaitUntil(mutex_, deadline)) break;
  }
  return durable_offset() >= offset;
}

absl::Status AofWriter::AwaitMove(int64_t moves) {
  MutexLock lock(mutex_);
  while (moves_ < moves && !finished_ && !failing()) progress_.Wait(mutex_);
  if (moves_ >= moves) return absl::OkStatus();
  return finished_ ? absl::FailedPreconditionError("the log was closed") : last_failure_;
}

}  // namespace cloakroom
