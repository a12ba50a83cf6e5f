#include "server/roles/primary_stream.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "protocol/text.h"
#include "server/context/pause.h"
#include "server/context/server.h"
#include "server/persistence/persistence.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"
#include "storage/gate/doorbell.h"

namespace cloakroom {
namespace {

/// What a record means besides its commands.
struct Meaning {
  bool asks_for_ack = false;
  bool logged = true;  ///< as in a primary's own log
};

Meaning MeaningOf(const RecordReader& record) {
  Meaning meaning;
  if (record.transaction() || record.commands() != 1) return meaning;
  const auto words = record.arguments(0);
  const auto is = [&](std::string_view name) { return EqualsIgnoreCase(words[0], name); };
  meaning.logged = !is("ping") && !is("publish") && !is("spublish") && !is("replconf");
  meaning.asks_for_ack = is("replconf") && words.size() > 1 && EqualsIgnoreCase(words[1], "getack");
  return meaning;
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
  for (;;) {
    {
      MutexLock lock(bell_);
      asleep_.store(true, std::memory_order_seq_cst);
      while (!stopped_ && !HasBytes()) rung_.Wait(bell_);
      asleep_.store(false, std::memory_order_relaxed);
      if (stopped_) return;
    }
    Step step = Step::kApplied;
    RecordRunner::Obstacle obstacle;
    {
      MutexLock lock(mutex_);
      for (int i = 0; i < kTurn && step == Step::kApplied; ++i) step = Apply(&obstacle);
    }
    MemoryMeter::Publish();
    TellOfRoom();
    if (step == Step::kBlocked) doorbell.Await(obstacle.gate, obstacle.wish);
  }
}

bool PrimaryStream::Paused() const {
  return server_.pause().active() &&
         server_.pause().UntilMs(/*may_write=*/true, server_.clock().NowMs()) != 0;
}

PrimaryStream::Step PrimaryStream::Apply(RecordRunner::Obstacle* obstacle) {
  if (!has_record_ && !FindRecord()) return Step::kNothing;
  *obstacle = {};
  if (Paused()) return Step::kBlocked;
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
  const Meaning meaning = MeaningOf(*reader_);
  if (meaning.asks_for_ack) callbacks_.asked_for_ack(stream_.tail());
  server_.persistence().journal().Extend(reader_->offset(), runner_->db(), meaning.logged);
  has_record_ = false;
}

void PrimaryStream::TellOfRoom() {
  if (!wants_room_.load(std::memory_order_seq_cst)) return;
  const bool room = behind() < kMostAhead || starved_.load(std::memory_order_seq_cst);
  if (room && wants_room_.exchange(false)) callbacks_.room();
}

}  // namespace cloakroom
