#ifndef CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
#define CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_

#include <algorithm>
#include <atomic>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

namespace cloakroom {

/// One script while it runs.
struct RunningScript {
  std::atomic<bool> busy = false;   ///< it runs longer than busy-reply-threshold
  std::atomic<bool> kill = false;   ///< SCRIPT KILL was said, or the server ends
  std::atomic<bool> wrote = false;  ///< it changed something: it can no longer be killed
};

/// The scripts that run just now, one per database at most, for SCRIPT KILL and the server's end.
/// Any thread.
class RunningScripts {
 public:
  void Add(RunningScript* script) {
    MutexLock lock(mutex_);
    scripts_.push_back(script);
    if (ended_) script->kill = true;
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
      if (script->wrote) {
        result = KillResult::kWrote;
      } else {
        script->kill = true;
        if (result == KillResult::kNothingRuns) result = KillResult::kKilled;
      }
    }
    return result;
  }

  /// Ends them all, and all that are still to come, whatever they did: nobody is to see it. None
  /// that had not written writes from now on.
  void EndAll() {
    MutexLock lock(mutex_);
    ended_ = true;
    for (RunningScript* script : scripts_) script->kill = true;
  }
  bool AnyBusy() const {
    MutexLock lock(mutex_);
    return std::any_of(scripts_.begin(), scripts_.end(),
                       [](auto* one) { return one->busy.load(); });
  }
  bool AnyWrote() const {
    MutexLock lock(mutex_);
    return std::any_of(scripts_.begin(), scripts_.end(),
                       [](auto* one) { return one->wrote.load(); });
  }

 private:
  mutable Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<RunningScript*> scripts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
