#include "replication/append_only_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "storage/memory_meter.h"

namespace cloakroom {
namespace {

using std::chrono::microseconds;

/// What a busy server appends in so long goes out in one write; waking the thread for each command
/// would cost more than the command.
constexpr std::chrono::milliseconds kGather{2};
constexpr microseconds kSyncPeriod{1'000'000};
/// Bytes kept for the case that an fsync fails. Beyond, the sync comes early.
constexpr int64_t kMaxUnsynced = 64 << 20;

}  // namespace

AppendOnlyFile::AppendOnlyFile(Files& files, const Clock& clock, Options options)
    : files_(files), clock_(clock), options_(std::move(options)), manifest_(options_.name) {}

AppendOnlyFile::~AppendOnlyFile() { Close(); }

// ---- Start and end.

std::optional<std::string> AppendOnlyFile::ReadManifest() {
  manifest_ = AofManifest(options_.name);
  const std::string path = options_.folder + "/" + manifest_.file_name();
  if (files_.Exists(path)) {
    std::string text;
    if (FileError error = ReadWholeFile(files_, path, &text)) return error.text();
    if (auto error = manifest_.Parse(text)) {
      return "The manifest " + path + " can't be read: " + *error +
             ". Correct it, or restore the folder from a backup.";
    }
    has_manifest_ = true;
  } else if (files_.Exists(options_.name)) {
    // The manifest first: a crash in between must not leave the file where nobody looks for it.
    if (FileError error = files_.MakeDirectory(options_.folder)) return error.text();
    manifest_.AdoptBase(options_.name);
    if (FileError error = WriteManifest(files_, options_.folder, manifest_)) return error.text();
    has_manifest_ = true;
  }
  const std::optional<AofFile>& base = manifest_.base();
  if (base && base->name == options_.name && !files_.Exists(PathOf(*base))) {
    if (FileError error = files_.Rename(options_.name, PathOf(*base))) return error.text();
  }
  for (const AofFile& file : manifest_.InOrder()) {
    older_bytes_ += files_.Size(PathOf(file)).value_or(0);
  }
  base_bytes_ = older_bytes_.load();
  return std::nullopt;
}

FileError AppendOnlyFile::Open(const AofFile& file, bool anew, Target* target) {
  target->path = PathOf(file);
  FileError error = anew ? files_.Create(target->path, &target->file)
                         : files_.OpenForAppend(target->path, &target->file);
  if (error) return error;
  target->written = target->synced = files_.Size(target->path).value_or(0);
  return {};
}

FileError AppendOnlyFile::Resume() {
  if (manifest_.incrs().empty()) {
    AofManifest extended = manifest_;
    const AofFile file = extended.AddIncr();
    if (FileError error = Open(file, /*anew=*/true, &target_)) return error;
    if (FileError error = WriteManifest(files_, options_.folder, extended)) return error;
    manifest_ = std::move(extended);
  } else if (FileError error = Open(manifest_.incrs().back(), /*anew=*/false, &target_)) {
    return error;
  }
  older_bytes_ -= target_.written;
  Start();
  return {};
}

FileError AppendOnlyFile::Begin() {
  if (FileError error = files_.MakeDirectory(options_.folder)) return error;
  has_manifest_ = false;
  if (FileError error = Open(manifest_.AddIncr(), /*anew=*/true, &target_)) return error;
  older_bytes_ = 0;
  Start();
  return {};
}

void AppendOnlyFile::Start() {
  current_bytes_ = target_.written;
  last_sync_us_ = clock_.MonotonicUs();
  {
    MutexLock lock(mutex_);
    stopping_ = false;
    taken_offset_ = appended_;
  }
  durable_ = taken_offset_;
  running_ = true;
  thread_ = std::thread([this] { Run(); });
}

void AppendOnlyFile::Flush() {
  MutexLock lock(mutex_);
  while (running_ && !broken_ && written_offset_ < appended_) changed_.wait(mutex_);
}

void AppendOnlyFile::Close() {
  if (!running_) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  target_ = {};
  next_ = {};
  running_ = false;
}

// ---- Appending.

int64_t AppendOnlyFile::Append(absl::FunctionRef<void(std::string& pending)> append) {
  bool wake;
  int64_t offset;
  {
    MutexLock lock(mutex_);
    const size_t before = pending_.size();
    append(pending_);
    appended_ += static_cast<int64_t>(pending_.size() - before);
    offset = appended_;
    if (static_cast<int64_t>(pending_.size()) > options_.max_pending_bytes) overfull_ = true;
    wake = std::exchange(sleeping_, false);
  }
  if (wake) changed_.notify_all();
  return offset;
}

void AppendOnlyFile::WhenDurable(int64_t offset, std::function<void()> wake) {
  {
    MutexLock lock(mutex_);
    if (fsync_ == Fsync::kAlways && running_ && offset > durable_) {
      auto behind = std::find_if(waiters_.rbegin(), waiters_.rend(), [&](const Waiter& waiter) {
                      return waiter.offset <= offset;
                    }).base();
      waiters_.insert(behind, {offset, std::move(wake)});
      return;
    }
  }
  wake();
}

FileError AppendOnlyFile::error() const {
  MutexLock lock(mutex_);
  return error_;
}

void AppendOnlyFile::set_fsync(Fsync fsync) {
  {
    MutexLock lock(mutex_);
    fsync_ = fsync;
    sleeping_ = false;
  }
  changed_.notify_all();
}

AppendOnlyFile::Figures AppendOnlyFile::figures() const {
  MutexLock lock(mutex_);
  return {.current_bytes = older_bytes_ + current_bytes_,
          .base_bytes = base_bytes_,
          .pending_bytes = static_cast<int64_t>(pending_.size()),
          .syncing = syncing_,
          .late_syncs = late_syncs_};
}

// ---- The writing thread.

void AppendOnlyFile::Run() {
  MemoryMeter::RegisterThread();
  while (WaitForWork()) {
    Take();
    FileError error = Write(/*sync=*/false);
    NoteOutcome(error);
    while (error && WaitForRetry()) {
      error = Repair();
      if (!error) error = Write(/*sync=*/true);
      NoteOutcome(error);
    }
  }
  Take();
  FileError error = broken_ ? Repair() : FileError{};
  if (!error) error = Write(/*sync=*/true);
  NoteOutcome(error);
}

bool AppendOnlyFile::WaitForWork() {
  MutexLock lock(mutex_);
  auto idle = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return pending_.empty() && !switch_at_ && !SyncDue() && !stopping_;
  };
  while (idle()) {
    sleeping_ = true;
    if (unsynced_.empty()) {
      changed_.wait(mutex_);
    } else {
      changed_.wait_for(mutex_, TimeToSync());
    }
  }
  sleeping_ = false;
  if (fsync_ != Fsync::kAlways && !stopping_ && !switch_at_) changed_.wait_for(mutex_, kGather);
  return !stopping_;
}

bool AppendOnlyFile::WaitForRetry() {
  MutexLock lock(mutex_);
  if (!stopping_) changed_.wait_for(mutex_, options_.retry_after);
  return !stopping_;
}

void AppendOnlyFile::Take() {
  MutexLock lock(mutex_);
  std::string bytes = std::exchange(pending_, {});
  if (switch_at_ && !switching_) {
    const size_t head = static_cast<size_t>(*switch_at_ - taken_offset_);
    taken_.append(bytes, 0, head);
    taken_for_next_.append(bytes, head);
    switching_ = true;
  } else if (switching_) {
    taken_for_next_.append(bytes);
  } else if (taken_.empty()) {
    taken_ = std::move(bytes);
  } else {
    taken_.append(bytes);
  }
  taken_offset_ = appended_;
}

FileError AppendOnlyFile::Write(bool sync) {
  if (FileError error = WriteTaken()) return error;
  if (switching_) {
    if (FileError error = GoOnInNextFile()) return error;
    if (FileError error = WriteTaken()) return error;
  }
  if (sync || SyncDue()) {
    if (FileError error = Sync()) return error;
  }
  Acknowledge();
  return {};
}

FileError AppendOnlyFile::WriteTaken() {
  if (taken_.empty()) return {};
  if (FileError error = target_.file->Append(taken_)) return error;
  const int64_t size = static_cast<int64_t>(taken_.size());
  target_.written += size;
  current_bytes_ = target_.written;
  if (KeepsUnsynced()) {
    unsynced_bytes_ += size;
    unsynced_.push_back(std::exchange(taken_, {}));
  } else {
    target_.synced = target_.written;
    taken_.clear();
  }
  return {};
}

FileError AppendOnlyFile::Sync() {
  const int64_t started_us = clock_.MonotonicUs();
  syncing_ = true;
  FileError error = target_.file->Sync();
  syncing_ = false;
  last_sync_us_ = clock_.MonotonicUs();
  if (last_sync_us_ - started_us > kSyncPeriod.count()) ++late_syncs_;
  if (error) return error;
  target_.synced = target_.written;
  unsynced_.clear();
  unsynced_bytes_ = 0;
  return {};
}

FileError AppendOnlyFile::GoOnInNextFile() {
  if (FileError error = Sync()) return error;
  older_bytes_ += target_.written;
  target_ = std::exchange(next_, {});
  current_bytes_ = target_.written;
  taken_ = std::exchange(taken_for_next_, {});
  switching_ = false;
  {
    MutexLock lock(mutex_);
    switch_at_.reset();
  }
  changed_.notify_all();
  return {};
}

FileError AppendOnlyFile::Repair() {
  target_.file.reset();
  if (FileError error = files_.Truncate(target_.path, target_.synced)) return error;
  if (FileError error = files_.OpenForAppend(target_.path, &target_.file)) return error;
  target_.written = target_.synced;
  std::string again;
  for (const std::string& bytes : unsynced_) again += bytes;
  unsynced_.clear();
  unsynced_bytes_ = 0;
  taken_.insert(0, again);
  return {};
}

bool AppendOnlyFile::KeepsUnsynced() const {
  switch (fsync_.load()) {
    case Fsync::kAlways:
      return true;
    case Fsync::kEverySec:
      return !lenient_;
    case Fsync::kNo:
      return false;
  }
  return true;
}

bool AppendOnlyFile::SyncDue() const {
  if (unsynced_.empty()) return false;
  return fsync_ == Fsync::kAlways || unsynced_bytes_ > kMaxUnsynced ||
         TimeToSync() <= microseconds(0);
}

microseconds AppendOnlyFile::TimeToSync() const {
  return microseconds(last_sync_us_ - clock_.MonotonicUs()) + kSyncPeriod;
}

void AppendOnlyFile::Acknowledge() {
  const bool always = fsync_ == Fsync::kAlways;
  const int64_t waiting = static_cast<int64_t>(taken_.size() + taken_for_next_.size());
  const int64_t durable = taken_offset_ - waiting - (always ? unsynced_bytes_ : 0);
  std::vector<Waiter> done;
  {
    MutexLock lock(mutex_);
    durable_ = std::max(durable_.load(), durable);
    while (!waiters_.empty() && (!always || waiters_.front().offset <= durable_)) {
      done.push_back(std::move(waiters_.front()));
      waiters_.pop_front();
    }
    if (static_cast<int64_t>(pending_.size()) < options_.max_pending_bytes / 2) overfull_ = false;
  }
  for (const Waiter& waiter : done) waiter.wake();
}

void AppendOnlyFile::NoteOutcome(const FileError& error) {
  MutexLock lock(mutex_);
  broken_ = static_cast<bool>(error);
  if (error) {
    error_ = error;
  } else {
    written_offset_ = taken_offset_;
  }
  // For Flush.
  changed_.notify_all();
}

// ---- Rewriting.

FileError AppendOnlyFile::PrepareSwitch() {
  AofManifest extended = manifest_;
  const AofFile file = extended.AddIncr();
  Target next;
  if (FileError error = Open(file, /*anew=*/true, &next)) return error;
  if (has_manifest_) {
    if (FileError error = WriteManifest(files_, options_.folder, extended)) return error;
  }
  manifest_ = std::move(extended);
  next_ = std::move(next);
  return {};
}

void AppendOnlyFile::Switch() {
  {
    MutexLock lock(mutex_);
    switch_at_ = appended_;
    sleeping_ = false;
  }
  changed_.notify_all();
}

FileError AppendOnlyFile::InstallBase(const std::string& path, bool rdb) {
  {
    MutexLock lock(mutex_);
    while (switch_at_ && !stopping_) changed_.wait(mutex_);
    if (switch_at_) return {ECANCELED, "switch to the next file of the log"};
  }
  AofManifest renewed = manifest_;
  const AofFile base = renewed.ReplaceBase(rdb, renewed.incrs().back().seq);
  if (FileError error = files_.Rename(path, PathOf(base))) return error;
  if (FileError error = WriteManifest(files_, options_.folder, renewed)) return error;
  manifest_ = std::move(renewed);
  has_manifest_ = true;
  older_bytes_ = files_.Size(PathOf(base)).value_or(0);
  base_bytes_ = older_bytes_ + current_bytes_;
  for (const AofFile& file : manifest_.history()) {
    // One that stays is history still, and goes the next time.
    if (files_.Exists(PathOf(file))) {
      if (FileError error = files_.Remove(PathOf(file))) return error;
    }
  }
  manifest_.ForgetHistory();
  return WriteManifest(files_, options_.folder, manifest_);
}

}  // namespace cloakroom
