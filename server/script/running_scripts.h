#ifndef CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
#define CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// One script while it runs. It either writes first or is told to end first, and that is decided
/// once: a script that was ended before it wrote anything never writes.
///
/// Thread rule: BeginToWrite, and setting `busy`, on the thread that runs the script; the rest on
/// any.
class RunningScript {
 public:
  std::atomic<bool> busy = false;  ///< it has run longer than busy-reply-threshold

  /// Call it before each command that writes. False: the script was told to end, and may not write.
  bool BeginToWrite() {
    Fate fate = Fate::kReads;
    if (fate_.compare_exchange_strong(fate, Fate::kWrites)) return true;
    return fate != Fate::kEnded;
  }
  /// It has written: only EndAll ends it.
  bool wrote() const { return fate_ == Fate::kWrites || cut_off(); }
  /// It was ended in the middle of its changes, which nobody may see.
  bool cut_off() const { return fate_ == Fate::kCutOff; }
  bool must_end() const { return fate_ == Fate::kEnded || cut_off(); }

 private:
  friend class RunningScripts;
  enum class Fate : uint8_t { kReads, kWrites, kEnded, kCutOff };

  /// Ends it unless it has written. False: it has written.
  bool End() {
    Fate fate = Fate::kReads;
    return fate_.compare_exchange_strong(fate, Fate::kEnded) || fate == Fate::kEnded;
  }
  void CutOff() {
    if (!End()) fate_ = Fate::kCutOff;
  }

  std::atomic<Fate> fate_ = Fate::kReads;
  bool noticed_ = false;  ///< by a waiting end; guarded by the mutex of RunningScripts
};

/// The scripts that run now, at most one per database, for SCRIPT KILL and the server's end. Any
/// thread.
class RunningScripts {
 public:
  void Add(RunningScript* script) {
    MutexLock lock(mutex_);
    scripts_.push_back(script);
    if (none_may_last_) script->End();
  }
  void Remove(RunningScript* script) {
    MutexLock lock(mutex_);
    std::erase(scripts_, script);
  }

  enum class KillResult { kKilled, kNothingRuns, kWrote };
  /// Ends every busy script that has not written yet. A script that is not busy will end by itself;
  /// in Redis nobody could ask for its end. kWrote: a busy script is left.
  KillResult Kill() {
    MutexLock lock(mutex_);
    KillResult result = KillResult::kNothingRuns;
    for (RunningScript* script : scripts_) {
      if (!script->busy) continue;
      if (!script->End()) {
        result = KillResult::kWrote;
      } else if (result == KillResult::kNothingRuns) {
        result = KillResult::kKilled;
      }
    }
    return result;
  }

  /// Called repeatedly by an end of the server that waits: ends the scripts that the previous call
  /// saw and that have not written yet, so that short scripts are not cut off. `hold_back`: no
  /// script begins from now until LetGoOn.
  void EndLasting(bool hold_back) {
    MutexLock lock(mutex_);
    held_back_ = hold_back;
    for (RunningScript* script : scripts_) {
      if (std::exchange(script->noticed_, true)) script->End();
    }
  }
  /// Whether scripts must not begin; their clients wait. One load.
  bool held_back() const { return held_back_.load(std::memory_order_relaxed); }
  /// Call it when the end was refused: scripts may begin again.
  void LetGoOn() {
    MutexLock lock(mutex_);
    held_back_ = false;
    for (RunningScript* script : scripts_) script->noticed_ = false;
  }

  /// Ends all scripts that have not written, busy or not, and all later ones, for good. From now on
  /// none begins to write.
  void EndReaders() {
    MutexLock lock(mutex_);
    none_may_last_ = true;
    for (RunningScript* script : scripts_) script->End();
  }
  /// Ends all scripts, and all later ones, even those that have written. Nobody may see what they
  /// wrote.
  void EndAll() {
    MutexLock lock(mutex_);
    none_may_last_ = true;
    for (RunningScript* script : scripts_) script->CutOff();
  }
  bool AnyBusy() const {
    MutexLock lock(mutex_);
    return std::any_of(scripts_.begin(), scripts_.end(),
                       [](auto* one) { return one->busy.load(); });
  }
  bool AnyWrote() const {
    MutexLock lock(mutex_);
    return std::any_of(scripts_.begin(), scripts_.end(), [](auto* one) { return one->wrote(); });
  }

 private:
  mutable Mutex mutex_;
  std::atomic<bool> held_back_ = false;
  bool none_may_last_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<RunningScript*> scripts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
