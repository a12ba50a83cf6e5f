#include "replication/aof/append_only_file.h"

#include <utility>

#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

absl::Status LogClosed() {
  return absl::FailedPreconditionError("the log was closed during its rewrite");
}

}  // namespace

AppendOnlyFile::AppendOnlyFile(ChangeStream& stream, Files& files, const Clock& clock,
                               Options options, AofObserver* observer)
    : files_(files),
      options_(std::move(options)),
      directory_(files, options_.directory, options_.name),
      pending_(stream, clock, options_.oldest),
      writer_(files, clock, directory_, pending_, options_.fsync, observer) {
  pending_.set_timestamps(options_.timestamps);
}

AppendOnlyFile::~AppendOnlyFile() { (void)Close(); }

// ---- on and off

absl::Status AppendOnlyFile::Open(AofManifest manifest, std::optional<NewBase> first_base) {
  MutexLock lock(mutex_);
  if (absl::Status status = directory_.Make(); !status.ok()) return status;
  directory_.Adopt(std::move(manifest));
  if (first_base) {
    absl::Status installed = directory_.InstallBase(first_base->path, first_base->is_rdb, false);
    if (!installed.ok()) return installed;
  }
  auto opened = OpenIncr();
  if (!opened.ok()) return opened.status();
  writer_.set_other_bytes(directory_.Size() - opened->size);
  writer_.Open(std::move(opened->file), opened->size);
  base_size_.store(directory_.Size(), std::memory_order_relaxed);
  pending_.Begin(opened->is_new);
  state_.store(State::kOn, std::memory_order_release);
  StartThread();
  return absl::OkStatus();
}

absl::StatusOr<AppendOnlyFile::OpenedIncr> AppendOnlyFile::OpenIncr() {
  AofManifest manifest = directory_.manifest();
  if (!manifest.incrs().empty()) {
    std::string path = files_.Absolute(directory_.PathOf(manifest.incrs().back().name));
    const int64_t size = files_.Size(path).value_or(0);
    auto file = files_.OpenForAppend(path);
    if (!file.ok()) return file.status();
    // The process before may have been killed between a write and its fsync.
    if (absl::Status status = size > 0 ? (*file)->Sync() : absl::OkStatus(); !status.ok()) {
      return status;
    }
    // If the file was new, the disk may have nothing of it, not even which database is selected.
    return OpenedIncr{
        .file = {std::move(path), *std::move(file)}, .size = size, .is_new = size == 0};
  }
  auto incr = directory_.PrepareIncr(/*listed=*/true);
  if (!incr.ok()) return incr.status();
  if (absl::Status status = directory_.CommitIncr(); !status.ok()) return status;
  std::string path = files_.Absolute(directory_.PathOf(incr->entry.name));
  return OpenedIncr{.file = {std::move(path), std::move(incr->file)}, .is_new = true};
}

absl::Status AppendOnlyFile::Close() {
  MutexLock lock(mutex_);
  State before;
  {
    // Together, so that a Switch() comes before all of this or does nothing.
    MutexLock prepared_lock(prepared_mutex_);
    prepared_.reset();
    pending_.set_logging(false);
    before = state_.exchange(State::kOff, std::memory_order_acq_rel);
    rewriting_.store(false, std::memory_order_relaxed);
  }
  StopThread();
  absl::Status status;
  if (before != State::kOff) status = writer_.Finish();
  if (before != State::kOn) directory_.DropUnlisted();
  return status;
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

absl::Status AppendOnlyFile::Flush() {
  const int64_t offset = pending_.appended();
  pending_.Demand(offset);
  return writer_.AwaitWritten(offset);
}

// ---- rewriting

absl::Status AppendOnlyFile::PrepareSwitch() {
  if (state() != State::kOff) {
    // Until the writer has come to the last switch, no manifest names that switch's file, and its
    // number would be given again. Without mutex_, since Close() ends this wait.
    int64_t switches = 0;
    {
      MutexLock prepared_lock(prepared_mutex_);
      switches = switches_;
    }
    if (!options_.start_thread) writer_.Step();
    if (absl::Status status = writer_.AwaitMove(switches); !status.ok()) return status;
  }
  MutexLock lock(mutex_);
  {
    MutexLock prepared_lock(prepared_mutex_);
    if (prepared_) return absl::OkStatus();
  }
  bool listed = state() == State::kOn;
  auto incr = directory_.PrepareIncr(listed);
  if (!incr.ok()) return incr.status();
  writer_.Restart();
  StartThread();
  MutexLock prepared_lock(prepared_mutex_);
  prepared_ =
      AofNewFile{files_.Absolute(directory_.PathOf(incr->entry.name)), std::move(incr->file)};
  return absl::OkStatus();
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

absl::Status AppendOnlyFile::InstallBase(const NewBase& base) {
  int64_t switches = 0;
  {
    MutexLock lock(prepared_mutex_);
    if (!rewriting_) return LogClosed();
    switches = switches_;
  }
  // Without mutex_, since Close() ends this wait.
  if (!options_.start_thread) writer_.Step();
  absl::Status status = writer_.AwaitMove(switches);
  if (!status.ok()) {
    CancelSwitch();
    return status;
  }
  MutexLock lock(mutex_);
  if (state() == State::kOff) return LogClosed();
  status = directory_.InstallBase(base.path, base.is_rdb, true);
  rewriting_.store(false, std::memory_order_relaxed);
  if (!status.ok()) return status;
  writer_.set_other_bytes(directory_.BaseSize());
  base_size_.store(writer_.other_bytes() + writer_.file_size(), std::memory_order_relaxed);
  state_.store(State::kOn, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status AppendOnlyFile::InstallLoneBase(const NewBase& base) {
  MutexLock lock(mutex_);
  if (state() != State::kOff) {
    return absl::FailedPreconditionError("the log was begun meanwhile");
  }
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
