#include "server/persistence/load_progress.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/context/supervisor.h"
#include "server/log/log.h"

namespace cloakroom {

void LoadProgress::Begin(Phase phase) {
  MutexLock lock(mutex_);
  told_ms_ = clock_.NowMs();
  figures_ = {.phase = phase, .started_s = told_ms_ / 1000};
  phase_ = phase;
}

void LoadProgress::End() {
  MutexLock lock(mutex_);
  figures_.phase = Phase::kNone;
  phase_ = Phase::kNone;
}

void LoadProgress::set_total(int64_t bytes) {
  MutexLock lock(mutex_);
  figures_.total_bytes = bytes;
}

void LoadProgress::NoteBytes(int64_t done_bytes) {
  const int64_t now_ms = clock_.NowMs();
  MutexLock lock(mutex_);
  figures_.done_bytes = done_bytes;
  if (now_ms - told_ms_ < kTellMs) return;
  told_ms_ = now_ms;
  const int64_t total = std::max<int64_t>(figures_.total_bytes, 1);
  LogNotice("Loading: {} % of {} MB", 100 * done_bytes / total, total >> 20);
  TellSupervisor(absl::StrCat("STATUS=Loading: ", 100 * done_bytes / total, " %\n",
                              std::string(kStillAtWork)));
}

void LoadProgress::NoteKeys(int64_t keys, int64_t expired, int64_t lost) {
  MutexLock lock(mutex_);
  figures_.keys += keys;
  figures_.expired_keys += expired;
  figures_.lost += lost;
}

LoadProgress::Figures LoadProgress::figures() const {
  MutexLock lock(mutex_);
  return figures_;
}

}  // namespace cloakroom
