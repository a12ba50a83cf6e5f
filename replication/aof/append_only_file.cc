#include "replication/aof/append_only_file.h"

#include <cerrno>
#include <utility>

#include "storage/base/memory_meter.h"

namespace cloakroom {

AppendOnlyFile::AppendOnlyFile(Files& files, const Clock& clock, Options options,
                               AofObserver* observer)
    : files_(files),
      options_(std::move(options)),
      directory_(files, options_.directory, options_.name),
      pending_(clock),
      writer_(files, clock, directory_, pending_, options_.fsync, observer) {
  pending_.set_timestamps(options_.timestamps);
}

AppendOnlyFile::~AppendOnlyFile() { (void)Close(); }

// ---- on and off

FileError AppendOnlyFile::Open(AofManifest manifest, std::optional<NewBase> first_base) {
  MutexLock lock(mutex_);
  if (FileError error = directory_.Make()) return error;
  directory_.Adopt(std::move(manifest));
  if (first_base) {
    FileError error = directory_.InstallBase(first_base->path, first_base->is_rdb, false);
    if (error) return error;
  }
  AofNewFile file;
  int64_t size = 0;
  if (FileError error = OpenIncr(&file, &size)) return error;
  writer_.set_other_bytes(directory_.Size() - size);
  writer_.Open(std::move(file), size);
  base_size_.store(directory_.Size(), std::memory_order_relaxed);
  pending_.set_accepting(true);
  state_.store(State::kOn, std::memory_order_release);
  StartThread();
  return {};
}

FileError AppendOnlyFile::OpenIncr(AofNewFile* file, int64_t* size) {
  AofManifest manifest = directory_.manifest();
  if (!manifest.incrs().empty()) {
    file->path = files_.Absolute(directory_.PathOf(manifest.incrs().back().name));
    *size = files_.Size(file->path).value_or(0);
    return files_.OpenForAppend(file->path, &file->file);
  }
  AofFileEntry entry;
  if (FileError error = directory_.PrepareIncr(true, &entry, &file->file)) return error;
  file->path = files_.Absolute(directory_.PathOf(entry.name));
  return directory_.CommitIncr();
}

FileError AppendOnlyFile::Close() {
  MutexLock lock(mutex_);
  State before;
  {
    // Together, so that a Switch() comes before all of it or does nothing.
    MutexLock prepared_lock(prepared_mutex_);
    prepared_.reset();
    pending_.set_accepting(false);
    before = state_.exchange(State::kOff, std::memory_order_acq_rel);
    rewriting_.store(false, std::memory_order_relaxed);
  }
  StopThread();
  FileError error;
  if (before != State::kOff) error = writer_.Finish();
  if (before != State::kOn) directory_.DropUnlisted();
  return error;
}

void AppendOnlyFile::StartThread() {
  if (!options_.start_thread || thread_.joinable()) return;
  stop_.store(false, std::memory_order_relaxed);
  thread_ = std::thread([this] { Run(); });
}

void AppendOnlyFile::StopThread() {
  if (!thread_.joinable()) return;
  stop_.store(true, std::memory_order_relaxed);
  pending_.Wake();
  thread_.join();
}

void AppendOnlyFile::Run() {
  MemoryMeter::RegisterThread();
  while (!stop_.load(std::memory_order_relaxed)) {
    AofWriter::Wait wait = writer_.Step();
    MemoryMeter::Publish();
    pending_.Await(wait.for_bytes, wait.us, wait.gather_us);
  }
}

FileError AppendOnlyFile::Flush() {
  const int64_t offset = pending_.appended();
  pending_.Demand(offset);
  return writer_.AwaitWritten(offset);
}

// ---- rewriting

FileError AppendOnlyFile::PrepareSwitch() {
  if (state() != State::kOff) {
    // Until the writer has come to the switch before, no manifest names that one's file, and its
    // number would be given again. Without mutex_: Close() ends this waiting.
    int64_t switches = 0;
    {
      MutexLock prepared_lock(prepared_mutex_);
      switches = switches_;
    }
    if (!options_.start_thread) writer_.Step();
    if (FileError error = writer_.AwaitMove(switches)) return error;
  }
  MutexLock lock(mutex_);
  {
    MutexLock prepared_lock(prepared_mutex_);
    if (prepared_) return {};
  }
  bool listed = state() == State::kOn;
  AofFileEntry entry;
  AofNewFile file;
  if (FileError error = directory_.PrepareIncr(listed, &entry, &file.file)) return error;
  file.path = files_.Absolute(directory_.PathOf(entry.name));
  writer_.Restart();
  StartThread();
  MutexLock prepared_lock(prepared_mutex_);
  prepared_ = std::move(file);
  return {};
}

bool AppendOnlyFile::Switch() {
  MutexLock lock(prepared_mutex_);
  if (!prepared_) return false;
  State off = State::kOff;
  state_.compare_exchange_strong(off, State::kWaitForBase, std::memory_order_acq_rel);
  rewriting_.store(true, std::memory_order_relaxed);
  switches_++;
  pending_.Switch(*std::exchange(prepared_, std::nullopt));
  return true;
}

FileError AppendOnlyFile::InstallBase(const NewBase& base) {
  int64_t switches = 0;
  {
    MutexLock lock(prepared_mutex_);
    if (!rewriting_) return {ECANCELED, "the log was closed during its rewrite"};
    switches = switches_;
  }
  // Without mutex_: Close() ends this waiting.
  if (!options_.start_thread) writer_.Step();
  FileError error = writer_.AwaitMove(switches);
  if (error) {
    CancelSwitch();
    return error;
  }
  MutexLock lock(mutex_);
  if (state() == State::kOff) return {ECANCELED, "the log was closed during its rewrite"};
  error = directory_.InstallBase(base.path, base.is_rdb, true);
  rewriting_.store(false, std::memory_order_relaxed);
  if (error) return error;
  writer_.set_other_bytes(directory_.BaseSize());
  base_size_.store(writer_.other_bytes() + writer_.file_size(), std::memory_order_relaxed);
  state_.store(State::kOn, std::memory_order_release);
  return {};
}

FileError AppendOnlyFile::InstallLoneBase(const NewBase& base) {
  MutexLock lock(mutex_);
  if (state() != State::kOff) return {ECANCELED, "the log was begun meanwhile"};
  return directory_.InstallBase(base.path, base.is_rdb, false);
}

void AppendOnlyFile::CancelSwitch() { rewriting_.store(false, std::memory_order_relaxed); }

AppendOnlyFile::Info AppendOnlyFile::info() const {
  Info info;
  info.state = state();
  info.rewriting = rewriting_.load(std::memory_order_relaxed);
  // The writer's offset first: it never passes the other.
  int64_t written = writer_.written_offset();
  info.pending_bytes = pending_.appended() - written;
  info.current_size = writer_.other_bytes() + writer_.file_size() + info.pending_bytes;
  info.base_size = base_size_.load(std::memory_order_relaxed);
  info.last_write_ok = !writer_.failing();
  info.last_error = writer_.last_error();
  info.delayed_fsyncs = writer_.delayed_fsyncs();
  info.last_fsync_us = writer_.last_fsync_us();
  info.last_fsync_at_ms = writer_.last_fsync_at_ms();
  return info;
}

}  // namespace cloakroom
