#ifndef CLOAKROOM_SERVER_PERSISTENCE_WRITE_HEALTH_H_
#define CLOAKROOM_SERVER_PERSISTENCE_WRITE_HEALTH_H_

#include <atomic>
#include <string>

#include "absl/base/thread_annotations.h"
#include "server/context/server.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class ChangeJournal;

/// Whether commands that write may be accepted. They are refused while the log cannot be written,
/// and after a failed snapshot if there are save points and `stop-writes-on-bgsave-error` is yes.
///
/// Thread rule: any thread.
class WriteHealth {
 public:
  /// Both outlive it.
  WriteHealth(Server& server, const ChangeJournal& journal);
  WriteHealth(const WriteHealth&) = delete;
  WriteHealth& operator=(const WriteHealth&) = delete;

  /// Whether commands that write, and PING as in Redis, are refused. Costs one atomic load while
  /// all is well; otherwise it looks again, so that nothing is refused once the disk works again.
  bool refuses_writes() {
    return refuses_writes_.load(std::memory_order_relaxed) && StillRefusesWrites();
  }
  /// The error reply: MISCONF and the reason.
  std::string Refusal() const;

  /// Records how the last snapshot ended.
  void NoteSnapshot(bool ok);
  /// Looks at everything again. Cron calls it, since the log does not report its failures.
  void Update();

 private:
  bool StillRefusesWrites();

  Server& server_;
  const ChangeJournal& journal_;
  std::atomic<bool> refuses_writes_ = false;
  Mutex mutex_;  ///< so that the last look decides
  bool snapshot_ok_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_WRITE_HEALTH_H_
