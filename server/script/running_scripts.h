#ifndef CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
#define CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/context/errors.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// One script while it runs. It either writes first or is told to end first, and that is decided
/// once: a script that was ended before it wrote anything never writes.
///
/// Thread rule: BeginToWrite on the thread that runs the script; the rest on any.
class RunningScript {
 public:
  enum class Kind : uint8_t { kScript, kFunction };
  /// `from_primary`: of the stream of our primary, so that it must run to its end.
  explicit RunningScript(Kind kind = Kind::kScript, bool from_primary = false)
      : kind_(kind), from_primary_(from_primary) {}

  /// It has run longer than busy-reply-threshold.
  bool busy() const { return busy_; }

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

  const Kind kind_;
  const bool from_primary_;
  std::atomic<bool> busy_ = false;
  std::atomic<Fate> fate_ = Fate::kReads;
  // Guarded by the mutex of RunningScripts:
  bool noticed_ = false;  ///< by a waiting end
  std::string name_;
  std::vector<std::string> command_;
  int64_t started_us_ = 0;
};

/// A busy function, as FUNCTION STATS shows it.
struct BusyFunction {
  std::string name;
  std::vector<std::string> command;  ///< FCALL with its arguments
  int64_t started_us = 0;            ///< monotonic
};

/// The scripts and functions that run now, at most one per database, for SCRIPT KILL, FUNCTION KILL
/// and the server's end. Any thread.
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

  /// Call it once, when a script has become busy: its name, the command that runs it, and when it
  /// began.
  void NoteBusy(RunningScript* script, std::string_view name,
                std::span<const std::string_view> command, int64_t started_us) {
    MutexLock lock(mutex_);
    script->name_ = name;
    script->command_.assign(command.begin(), command.end());
    script->started_us_ = started_us;
    script->busy_ = true;
  }
  /// A busy function, or nullopt.
  std::optional<BusyFunction> Busy() const {
    MutexLock lock(mutex_);
    for (const RunningScript* one : scripts_) {
      if (!one->busy_ || one->kind_ != RunningScript::Kind::kFunction) continue;
      return BusyFunction{one->name_, one->command_, one->started_us_};
    }
    return std::nullopt;
  }

  enum class KillResult { kKilled, kNothingRuns, kWrote, kFromPrimary, kOtherKind };
  /// Ends every busy script of this kind that has not written yet. A script that is not busy will
  /// end by itself; in Redis nobody could ask for its end. kWrote: a busy script is left.
  /// kFromPrimary: and it is the primary's. kOtherKind: only scripts of the other kind are busy.
  KillResult Kill(RunningScript::Kind kind) {
    MutexLock lock(mutex_);
    KillResult result = KillResult::kNothingRuns;
    KillResult others = KillResult::kNothingRuns;
    for (RunningScript* script : scripts_) {
      if (!script->busy_) continue;
      if (script->from_primary_) {
        result = KillResult::kFromPrimary;
      } else if (script->kind_ != kind) {
        others = script->wrote() ? KillResult::kWrote : KillResult::kOtherKind;
      } else if (!script->End()) {
        result = KillResult::kWrote;
      } else if (result == KillResult::kNothingRuns) {
        result = KillResult::kKilled;
      }
    }
    return result == KillResult::kNothingRuns ? others : result;
  }

  /// The error for a request that has to wait for a busy script: it says how to end that.
  std::string_view BusyReply() const {
    MutexLock lock(mutex_);
    bool function = false;
    for (const RunningScript* one : scripts_) {
      if (!one->busy_) continue;
      if (one->kind_ == RunningScript::Kind::kScript) return kBusyScript;
      function = true;
    }
    return function ? kBusyFunction : kBusyScript;
  }

  /// Called repeatedly by an end of the server that waits: ends the scripts that the previous call
  /// saw and that have not written yet, so that short scripts are not cut off. `hold_back`: no
  /// script begins from now until LetGoOn.
  void EndLasting(bool hold_back) {
    MutexLock lock(mutex_);
    held_back_ = hold_back;
    for (RunningScript* script : scripts_) {
      if (std::exchange(script->noticed_, true) && !script->from_primary_) script->End();
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
    return std::any_of(scripts_.begin(), scripts_.end(), [](auto* one) { return one->busy(); });
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
