#include "server/roles/primary_stream.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/text.h"
#include "replication/stream/command_encoder.h"
#include "server/context/pause.h"
#include "server/context/server.h"
#include "server/persistence/persistence.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "storage/gate/doorbell.h"

namespace cloakroom {
namespace {

constexpr std::array<std::string_view, 1> kMulti = {"MULTI"};
constexpr std::array<std::string_view, 1> kExec = {"EXEC"};

bool Is(const RecordReader& record, std::string_view name) {
  return !record.transaction() && record.commands() == 1 &&
         EqualsIgnoreCase(record.arguments(0)[0], name);
}

bool AsksForAck(const RecordReader& record) {
  return Is(record, "replconf") && record.arguments(0).size() > 1 &&
         EqualsIgnoreCase(record.arguments(0)[1], "getack");
}

/// Whether the record changes no data: a primary's own log has no such records.
bool IsForReplicasOnly(const RecordReader& record) {
  return record.commands() == 0 || Is(record, "ping") || Is(record, "publish") ||
         Is(record, "spublish") || Is(record, "replconf");
}

/// The length of the record as a log has it.
int64_t LoggedLength(const RecordReader& record) {
  size_t length = record.transaction() ? CommandLength(kMulti) + CommandLength(kExec) : 0;
  for (size_t i = 0; i < record.commands(); ++i) length += CommandLength(record.arguments(i));
  return static_cast<int64_t>(length);
}

/// The record as a log has it, without commands that were refused.
std::string LoggedText(const RecordReader& record, const RecordRunner& runner) {
  std::string commands;
  for (size_t i = 0; i < record.commands(); ++i) {
    if (runner.refused(i)) continue;
    if (const std::vector<std::string>* const words = runner.reworded(i)) {
      AppendCommand(commands, std::vector<std::string_view>(words->begin(), words->end()));
    } else {
      AppendCommand(commands, record.arguments(i));
    }
  }
  if (!record.transaction() || commands.empty()) return commands;
  std::string text;
  AppendCommand(text, kMulti);
  text += commands;
  AppendCommand(text, kExec);
  return text;
}

bool LogDiffers(const RecordReader& record, const RecordRunner& runner) {
  for (size_t i = 0; i < record.commands(); ++i) {
    if (runner.refused(i) || runner.reworded(i) != nullptr) return true;
  }
  return false;
}

}  // namespace

PrimaryStream::PrimaryStream(Server& server, std::unique_ptr<RecordRunner> runner,
                             Callbacks callbacks)
    : server_(server),
      stream_(server.stream()),
      callbacks_(std::move(callbacks)),
      runner_(std::move(runner)),
      applier_([this] { Run(); }) {}

PrimaryStream::~PrimaryStream() {
  {
    MutexLock lock(bell_);
    stopped_ = true;
  }
  rung_.NotifyAll();
  applier_.join();
}

// ---- receiving

void PrimaryStream::Begin() {
  MutexLock lock(mutex_);
  MutexLock socket_lock(socket_mutex_);
  Drop();
  open_ = true;
}

void PrimaryStream::Drop() {
  open_ = false;
  const int64_t tail = stream_.tail();
  if (received_ > tail) stream_.Cut(received_);
  received_ = tail;
  fed_ = tail;
  starved_ = true;
  wants_room_ = false;
  reader_.emplace(RecordLimits{}, tail);
  if (std::exchange(has_record_, false)) runner_->GiveUp();
}

std::optional<size_t> PrimaryStream::Receive(
    absl::FunctionRef<std::optional<size_t>(std::span<char>)> receive) {
  std::optional<size_t> bytes;
  {
    MutexLock lock(socket_mutex_);
    if (!open_) return 0;
    // Before the check, since the applier looks at it after it has made room.
    wants_room_.store(true, std::memory_order_seq_cst);
    if (behind() >= kMostAhead && !starved_.load(std::memory_order_seq_cst)) return 0;
    wants_room_.store(false, std::memory_order_relaxed);
    const int64_t end = received_.load(std::memory_order_relaxed);
    bytes = receive(stream_.Room(end));
    if (!bytes || *bytes == 0) return bytes;
    received_.store(end + static_cast<int64_t>(*bytes), std::memory_order_seq_cst);
  }
  Wake();
  return bytes;
}

int64_t PrimaryStream::behind() const {
  return std::max<int64_t>(received_.load(std::memory_order_relaxed) - stream_.tail(), 0);
}

void PrimaryStream::End() {
  MutexLock lock(mutex_);
  MutexLock socket_lock(socket_mutex_);
  Drop();
}

void PrimaryStream::Finish(Hold& hold) {
  {
    MutexLock lock(socket_mutex_);
    open_ = false;
  }
  MutexLock lock(mutex_);
  while (has_record_ || FindRecord()) {
    runner_->GiveUp();
    runner_->RunUnder(*reader_, hold);
    NoteApplied();
  }
  MutexLock socket_lock(socket_mutex_);
  Drop();
}

int PrimaryStream::db() {
  MutexLock lock(mutex_);
  return runner_->db();
}

void PrimaryStream::set_db(int db) {
  MutexLock lock(mutex_);
  runner_->set_db(db);
}

void PrimaryStream::set_source(const Address& address) {
  MutexLock lock(mutex_);
  runner_->set_source(address);
}

// ---- applying

void PrimaryStream::Wake() {
  if (!asleep_.load(std::memory_order_seq_cst)) return;
  // With the bell's mutex: the applier has checked and does not wait yet, or it waits.
  MutexLock lock(bell_);
  rung_.NotifyAll();
}

void PrimaryStream::Run() {
  MemoryMeter::RegisterThread();
  Doorbell doorbell;
  Step step = Step::kNothing;
  for (;;) {
    {
      MutexLock lock(bell_);
      asleep_.store(true, std::memory_order_seq_cst);
      while (!stopped_ && step == Step::kNothing && !HasBytes()) rung_.Wait(bell_);
      asleep_.store(false, std::memory_order_relaxed);
      if (stopped_) return;
    }
    RecordRunner::Obstacle obstacle;
    {
      MutexLock lock(mutex_);
      step = Step::kNothing;
      if (has_record_ || FindRecord()) {
        runner_->BeginTurn(reader_->ahead());
        step = Step::kApplied;
      }
      for (int i = 0; i < kTurn && step == Step::kApplied; ++i) step = Apply(&obstacle);
    }
    MemoryMeter::Publish();
    TellOfRoom();
    if (step == Step::kBlocked) doorbell.Await(obstacle.gate, obstacle.wish);
    if (step == Step::kHeldBack) std::this_thread::sleep_for(Doorbell::kLookAgain);
  }
}

/// A pause holds the primary's commands back, as in Redis. A log that the disk refuses does the
/// same: what is applied must not grow without end in its memory.
bool PrimaryStream::HeldBack() const {
  const bool paused = server_.pause().active() &&
                      server_.pause().UntilMs(/*may_write=*/true, server_.clock().NowMs()) != 0;
  return paused || !server_.persistence().journal().healthy();
}

PrimaryStream::Step PrimaryStream::Apply(RecordRunner::Obstacle* obstacle) {
  if (!has_record_ && !FindRecord()) return Step::kNothing;
  *obstacle = {};
  if (HeldBack()) return Step::kHeldBack;
  const bool ran = runner_->TryRun(
      *reader_, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { NoteApplied(); }, obstacle);
  return ran ? Step::kApplied : Step::kBlocked;
}

/// Looks for the next whole record among the received bytes.
bool PrimaryStream::FindRecord() {
  if (!reader_ || !reader_->error().ok()) return false;
  for (;;) {
    switch (reader_->Next()) {
      case RecordReader::Status::kRecord:
        starved_.store(false, std::memory_order_seq_cst);
        has_record_ = true;
        return true;
      case RecordReader::Status::kError: {
        // No byte behind it will ever be looked at.
        MutexLock lock(socket_mutex_);
        open_ = false;
        fed_.store(received_.load());
        callbacks_.broken(reader_->error());
        return false;
      }
      case RecordReader::Status::kNeedMore: {
        const int64_t begin = fed_.load(std::memory_order_relaxed);
        const int64_t end = received_.load(std::memory_order_seq_cst);
        if (begin == end) {
          starved_.store(true, std::memory_order_seq_cst);
          return false;
        }
        const std::span<char> room = stream_.Room(begin);
        const size_t bytes = std::min(room.size(), static_cast<size_t>(end - begin));
        reader_->Feed(room.first(bytes));
        fed_.store(begin + static_cast<int64_t>(bytes), std::memory_order_relaxed);
      }
    }
  }
}

/// The record has run: it is part of our stream.
void PrimaryStream::NoteApplied() {
  const RecordReader& record = *reader_;
  const int64_t begin = stream_.tail();
  if (AsksForAck(record)) callbacks_.asked_for_ack(begin);
  std::optional<std::string> instead;
  if (IsForReplicasOnly(record)) {
    instead.emplace();
  } else if (LogDiffers(record, *runner_) || LoggedLength(record) != record.offset() - begin) {
    // A log with empty lines, or with what is no command, could not be read again.
    instead = LoggedText(record, *runner_);
  }
  server_.persistence().journal().Extend(record.offset(), runner_->db(), std::move(instead));
  has_record_ = false;
}

void PrimaryStream::TellOfRoom() {
  if (!wants_room_.load(std::memory_order_seq_cst)) return;
  const bool room = behind() < kMostAhead || starved_.load(std::memory_order_seq_cst);
  if (room && wants_room_.exchange(false)) callbacks_.room();
}

}  // namespace cloakroom
