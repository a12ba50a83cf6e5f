#ifndef CLOAKROOM_SERVER_PERSISTENCE_WRITE_HEALTH_H_
#define CLOAKROOM_SERVER_PERSISTENCE_WRITE_HEALTH_H_

#include <atomic>
#include <string>

#include "absl/base/thread_annotations.h"
#include "server/context/server.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class ChangeJournal;

/// Whether commands that write may be accepted. They may not while the disk does not take what is
/// written: the last snapshot failed, where save points ask for snapshots and
/// `stop-writes-on-bgsave-error` is yes; or the log cannot be written.
///
/// Thread rule: any thread.
class WriteHealth {
 public:
  /// Both outlive it.
  WriteHealth(Server& server, const ChangeJournal& journal);
  WriteHealth(const WriteHealth&) = delete;
  WriteHealth& operator=(const WriteHealth&) = delete;

  /// Commands that write are refused, and, as in Redis, PING is. One load while all is well;
  /// otherwise it looks again, so that nobody is refused once the disk takes what is written.
  bool refuses_writes() {
    return refuses_writes_.load(std::memory_order_relaxed) && StillRefusesWrites();
  }
  /// What they are refused with: MISCONF and the reason.
  std::string Refusal() const;

  /// How the last snapshot ended.
  void NoteSnapshot(bool ok);
  /// Looks at everything again. The log tells nobody when it fails: cron asks.
  void Update();

 private:
  bool StillRefusesWrites();

  Server& server_;
  const ChangeJournal& journal_;
  std::atomic<bool> refuses_writes_ = false;
  Mutex mutex_;  ///< so that what was seen last is what counts
  bool snapshot_ok_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_WRITE_HEALTH_H_
