#include "replication/rdb/snapshot_writer.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_writer.h"
#include "replication/rdb/snapshot_pipe.h"
#include "replication/stream/command_snapshot.h"
#include "storage/base/memory_meter.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {
namespace {

constexpr const char* kStopped = "it was stopped";
constexpr const char* kTooManyChanges =
    "keys change faster than the disk takes the snapshot. Save at a quieter time, or to a faster "
    "disk";
constexpr const char* kMemoryNeeded =
    "the memory of a database that was flushed meanwhile was needed";
constexpr const char* kIncomplete =
    "the snapshot does not hold what there was, each key once. This is a defect of this server: "
    "please report it";

/// Takes the entries of a snapshot.
class SnapshotFormat {
 public:
  virtual ~SnapshotFormat() = default;
  virtual void Begin(const SnapshotHead& head) = 0;
  virtual void Entry(const EntryView& entry) = 0;
  virtual void End() = 0;
  /// An error: the format cannot hold an entry.
  virtual absl::Status status() const { return absl::OkStatus(); }
};

class RdbFormat final : public SnapshotFormat {
 public:
  RdbFormat(ByteSink& sink, const RdbOptions& options) : writer_(sink, options) {}
  void Begin(const SnapshotHead& head) override {
    writer_.Begin();
    for (const auto& [key, value] : head.aux) writer_.Aux(key, value);
    for (const std::string& source : head.functions) writer_.Function(source);
  }
  void Entry(const EntryView& entry) override { writer_.Entry(entry); }
  void End() override { writer_.End(); }
  absl::Status status() const override { return writer_.status(); }

 private:
  RdbWriter writer_;
};

class CommandFormat final : public SnapshotFormat {
 public:
  CommandFormat(ByteSink& sink, int64_t now_ms) : snapshot_(sink, now_ms) {}
  void Begin(const SnapshotHead& head) override {
    for (const auto& [key, value] : head.aux) {
      if (key == kScriptAux) snapshot_.Script(value);
    }
    for (const std::string& source : head.functions) snapshot_.Function(source);
  }
  void Entry(const EntryView& entry) override { snapshot_.Entry(entry); }
  void End() override {}

 private:
  CommandSnapshot snapshot_;
};

/// Pauses for each key.
class KeyDelay {
 public:
  KeyDelay(int us, SnapshotPipe& pipe) : us_(us), pipe_(pipe) {}
  void AfterKey() {
    if (us_ == 0) return;
    if (us_ < 0 && ++keys_ % -int64_t{us_} != 0) return;
    pipe_.Rest(std::chrono::microseconds(std::max(us_, 1)));
  }

 private:
  const int us_;
  SnapshotPipe& pipe_;
  int64_t keys_ = 0;
};

/// The writing thread's work: the whole snapshot except its end.
class Writing {
 public:
  Writing(SnapshotPipe& pipe, SnapshotFormat& format, const ByteSink& sink,
          const SnapshotOptions& options)
      : pipe_(pipe), format_(format), sink_(sink), options_(options) {}

  void Run(const SnapshotHead& head) {
    MemoryMeter::RegisterThread();
    if (options_.begin_writing) options_.begin_writing();
    format_.Begin(head);
    KeyDelay delay(options_.key_delay_us, pipe_);
    SnapshotBatch batch;
    while (status_.ok() && pipe_.Pop(&batch)) {
      batch.ForEach([&](const EntryView& entry) {
        if (pipe_.given_up()) return;
        format_.Entry(entry);
        delay.AfterKey();
      });
      status_ = sink_.status();
      status_.Update(format_.status());
    }
    pipe_.End();
  }
  /// After the thread has ended.
  const absl::Status& status() const { return status_; }

 private:
  SnapshotPipe& pipe_;
  SnapshotFormat& format_;
  const ByteSink& sink_;
  const SnapshotOptions& options_;
  absl::Status status_;
};

absl::Status StatusOf(Snapshot::Failure failure) {
  switch (failure) {
    case Snapshot::Failure::kTooManyPreImages:
      return absl::ResourceExhaustedError(kTooManyChanges);
    case Snapshot::Failure::kMemoryNeeded:
      return absl::AbortedError(kMemoryNeeded);
    case Snapshot::Failure::kIncomplete:
      return absl::InternalError(kIncomplete);
    case Snapshot::Failure::kNone:
      break;
  }
  return absl::OkStatus();
}

/// How soon a stop is noticed.
constexpr std::chrono::milliseconds kPatience{50};

/// Collects the snapshot that has begun into the pipe. OK: all of it is there, or the writing
/// thread has ended.
absl::Status Collect(Snapshot& snapshot, SnapshotPipe& pipe, absl::FunctionRef<bool()> stop) {
  constexpr std::chrono::milliseconds kUntilGateOpens{1};
  while (true) {
    if (stop()) return absl::CancelledError(kStopped);
    const SnapshotPipe::Room room = pipe.AwaitRoom(kPatience);
    if (room == SnapshotPipe::Room::kNoMore) return absl::OkStatus();
    SnapshotBatch batch;
    Snapshot::Step step = Snapshot::Step::kBusy;
    if (room == SnapshotPipe::Room::kFree) step = snapshot.Next(&batch);
    // After the last step too: a failure comes before the end.
    if (absl::Status failed = StatusOf(snapshot.failure()); !failed.ok()) return failed;
    if (step == Snapshot::Step::kEnd) return absl::OkStatus();
    if (step == Snapshot::Step::kGave) {
      pipe.Push(std::move(batch));
    } else if (room == SnapshotPipe::Room::kFree) {
      std::this_thread::sleep_for(kUntilGateOpens);
    }
  }
}

/// Collects on this thread and writes on another one, all but the end of the snapshot.
absl::Status CollectAndWrite(Snapshot& snapshot, Writing& writing, SnapshotPipe& pipe,
                             const SnapshotHead& head, absl::FunctionRef<bool()> stop) {
  std::thread thread;
  try {
    thread = std::thread([&] { writing.Run(head); });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("no thread for it: ", error.what()));
  }
  absl::Status status = Collect(snapshot, pipe, stop);
  pipe.Close(/*given_up=*/!status.ok());
  // A slow disk still has most of its work to do.
  while (!pipe.AwaitEnd(kPatience)) {
    if (!status.ok() || !stop()) continue;
    status = absl::CancelledError(kStopped);
    pipe.Close(/*given_up=*/true);
  }
  thread.join();
  return status.ok() ? writing.status() : status;
}

RdbOptions WriterOptions(const SnapshotOptions& options, Keyspace& keyspace,
                         const SnapshotHead& head, bool field_expiry) {
  const StorageSettings& settings = keyspace.settings();
  int oldest = options.oldest_version;
  if (!head.functions.empty()) oldest = std::max(oldest, rdb::kFirstFunctions);
  if (field_expiry) oldest = std::max(oldest, rdb::kFirstFieldExpiry);
  return {.version = options.version != 0 ? options.version : oldest,
          .compression = options.compression,
          .checksum = options.checksum,
          .access = RdbOptions::AccessOf(settings.policy),
          .lfu_decay_minutes = settings.lfu_decay_minutes,
          .now_ms = keyspace.clock().NowMs()};
}

std::unique_ptr<SnapshotFormat> FormatFor(const SnapshotOptions& options, ByteSink& sink,
                                          Keyspace& keyspace, const SnapshotHead& head,
                                          bool field_expiry) {
  if (options.as_commands) {
    return std::make_unique<CommandFormat>(sink, keyspace.clock().NowMs());
  }
  return std::make_unique<RdbFormat>(sink, WriterOptions(options, keyspace, head, field_expiry));
}

}  // namespace

absl::StatusOr<size_t> WriteSnapshot(Keyspace& keyspace, ByteSink& sink,
                                     const SnapshotOptions& options,
                                     absl::FunctionRef<SnapshotHead()> at_instant,
                                     absl::FunctionRef<bool()> stop) {
  Snapshot& snapshot = keyspace.snapshot();
  SnapshotHead head;
  const std::optional<Snapshot::Facts> facts = snapshot.Begin(
      {.max_pre_image_bytes = options.max_pre_image_bytes,
       .log_follows = options.log_follows,
       .gates_closed = options.gates_closed},
      [&] { head = at_instant(); }, stop);
  if (!facts) return absl::CancelledError(kStopped);
  const std::unique_ptr<SnapshotFormat> format =
      FormatFor(options, sink, keyspace, head, facts->field_expiry);
  SnapshotPipe pipe;
  Writing writing(pipe, *format, sink, options);
  if (absl::Status status = CollectAndWrite(snapshot, writing, pipe, head, stop); !status.ok()) {
    snapshot.Cancel();
    return status;
  }
  format->End();
  if (absl::Status status = sink.status(); !status.ok()) return status;
  return facts->keys;
}

}  // namespace cloakroom
