#ifndef CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
#define CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_

#include <atomic>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

namespace cloakroom {

/// One script while it runs.
struct RunningScript {
  std::atomic<bool> busy = false;   ///< it runs longer than busy-reply-threshold
  std::atomic<bool> kill = false;   ///< SCRIPT KILL was said
  std::atomic<bool> wrote = false;  ///< it changed something: it can no longer be killed
};

/// The scripts that run just now, one per database at most, for SCRIPT KILL. Any thread.
class RunningScripts {
 public:
  void Add(RunningScript* script) {
    MutexLock lock(mutex_);
    scripts_.push_back(script);
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

 private:
  Mutex mutex_;
  std::vector<RunningScript*> scripts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
