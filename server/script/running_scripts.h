#ifndef CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
#define CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_

#include <atomic>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/mutex.h"

namespace cloakroom {

/// One script while it runs.
struct RunningScript {
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
  /// Ends every script that has not written yet.
  KillResult Kill() {
    MutexLock lock(mutex_);
    if (scripts_.empty()) return KillResult::kNothingRuns;
    KillResult result = KillResult::kWrote;
    for (RunningScript* script : scripts_) {
      if (script->wrote) continue;
      script->kill = true;
      result = KillResult::kKilled;
    }
    return result;
  }

 private:
  Mutex mutex_;
  std::vector<RunningScript*> scripts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_RUNNING_SCRIPTS_H_
