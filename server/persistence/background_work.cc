#include "server/persistence/background_work.h"

#include <chrono>
#include <utility>

namespace cloakroom {
namespace {

/// How long somebody who wants the slot waits before it asks whether to give up.
constexpr std::chrono::milliseconds kLookAgain{20};

}  // namespace

BackgroundWork::Kind BackgroundWork::under_way() const {
  MutexLock lock(mutex_);
  return under_way_;
}

void BackgroundWork::SetUnderWay(Kind kind) {
  under_way_ = kind;
  started_ms_ = clock_.NowMs();
}

BackgroundWork::Kind BackgroundWork::Begin(Kind kind, Job job, Done done) {
  MutexLock lock(mutex_);
  if (under_way_ != Kind::kNone) return under_way_;
  SetUnderWay(kind);
  runner_.Run([this, job = std::move(job), done = std::move(done)] {
    const absl::Status status = job();
    End();
    if (done) done(status);
  });
  return Kind::kNone;
}

void BackgroundWork::End() {
  {
    MutexLock lock(mutex_);
    under_way_ = Kind::kNone;
  }
  ended_.NotifyAll();
}

bool BackgroundWork::WhileIdle(absl::FunctionRef<void()> act) {
  MutexLock lock(mutex_);
  if (under_way_ != Kind::kNone) return false;
  act();
  return true;
}

void BackgroundWork::AwaitIdle() {
  MutexLock lock(mutex_);
  while (under_way_ != Kind::kNone) ended_.Wait(mutex_);
}

BackgroundWork::Progress BackgroundWork::progress() const {
  MutexLock lock(mutex_);
  Progress progress{.kind = under_way_};
  if (progress.kind == Kind::kNone && takers_ > 0) progress.kind = Kind::kSnapshot;
  if (progress.kind != Kind::kNone) progress.seconds = (clock_.NowMs() - started_ms_) / 1000;
  return progress;
}

// ---- taking over

BackgroundWork::TakeOver::~TakeOver() {
  if (has_slot_) {
    work_.End();
  } else {
    --work_.takers_;
  }
}

void BackgroundWork::TakeOver::Take() {
  work_.SetUnderWay(Kind::kSnapshot);
  has_slot_ = true;
  --work_.takers_;
}

bool BackgroundWork::TakeOver::Try() {
  if (has_slot_) return true;
  MutexLock lock(work_.mutex_);
  if (work_.under_way_ != Kind::kNone) return false;
  Take();
  return true;
}

bool BackgroundWork::TakeOver::Wait(absl::FunctionRef<bool()> give_up) {
  while (!Try()) {
    if (give_up()) return false;
    const auto until = std::chrono::steady_clock::now() + kLookAgain;
    MutexLock lock(work_.mutex_);
    if (work_.under_way_ != Kind::kNone) work_.ended_.WaitUntil(work_.mutex_, until);
  }
  return true;
}

}  // namespace cloakroom
