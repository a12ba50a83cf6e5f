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

/// One script while it runs. Whether it writes first or is told to end first is decided once: who
/// ends a script as one that has written nothing finds that it stays so.
///
/// Thread rule: BeginToWrite and `busy` are for the thread that runs it, the rest for any.
class RunningScript {
 public:
  std::atomic<bool> busy = false;  ///< it runs longer than busy-reply-threshold

  /// Before each command that writes. False when it has been told to end, and may not.
  bool BeginToWrite() {
    Fate fate = Fate::kReads;
    if (fate_.compare_exchange_strong(fate, Fate::kWrites)) return true;
    return fate != Fate::kEnded;
  }
  /// It changed something: only EndAll ends it.
  bool wrote() const { return fate_ == Fate::kWrites || cut_off(); }
  /// It was ended in the midst of its changes, which nobody is to see.
  bool cut_off() const { return fate_ == Fate::kCutOff; }
  bool must_end() const { return fate_ == Fate::kEnded || cut_off(); }

 private:
  friend class RunningScripts;
  enum class Fate : uint8_t { kReads, kWrites, kEnded, kCutOff };

  /// Unless it has written.
  bool End() {
    Fate fate = Fate::kReads;
    return fate_.compare_exchange_strong(fate, Fate::kEnded) || fate == Fate::kEnded;
  }
  void CutOff() {
    if (!End()) fate_ = Fate::kCutOff;
  }

  std::atomic<Fate> fate_ = Fate::kReads;
  bool noticed_ = false;  ///< by an end that waits; under the mutex of RunningScripts
};

/// The scripts that run just now, one per database at most, for SCRIPT KILL and the server's end.
/// Any thread.
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
  /// in Redis nobody could ask for its end. kWrote when any is left that is busy.
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

  /// For an end of the server that waits, each time it looks: a script that was there at the look
  /// before, and has not written yet, is ended. So one that takes no longer than usual is not cut
  /// off. `hold_back`: and no script begins from here on, until LetGoOn.
  void EndLasting(bool hold_back) {
    MutexLock lock(mutex_);
    held_back_ = hold_back;
    for (RunningScript* script : scripts_) {
      if (std::exchange(script->noticed_, true)) script->End();
    }
  }
  /// Scripts are not to begin: whoever sent one waits. One load.
  bool held_back() const { return held_back_.load(std::memory_order_relaxed); }
  /// The end was refused.
  void LetGoOn() {
    MutexLock lock(mutex_);
    held_back_ = false;
    for (RunningScript* script : scripts_) script->noticed_ = false;
  }

  /// Ends all that have not written, busy or not, and those that are still to come, for good. From
  /// here on none begins to write.
  void EndReaders() {
    MutexLock lock(mutex_);
    none_may_last_ = true;
    for (RunningScript* script : scripts_) script->End();
  }
  /// Ends them all, and all that are still to come, whatever they did: nobody is to see it.
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
