#ifndef CLOAKROOM_SERVER_PROCESS_CRON_H_
#define CLOAKROOM_SERVER_PROCESS_CRON_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "server/context/server.h"
#include "storage/base/mutex.h"
#include "storage/upkeep/evictor.h"
#include "storage/upkeep/expirer.h"

namespace cloakroom {

/// The background thread for periodic work: ten times a second it removes what has expired, evicts
/// what is too much, samples the counters for INFO, and gives persistence and tracking their turn.
class Cron {
 public:
  explicit Cron(Server& server);
  /// Ends the thread.
  ~Cron();
  Cron(const Cron&) = delete;
  Cron& operator=(const Cron&) = delete;

 private:
  void Run();
  void Expire();
  void Evict();
  bool stopping() const;

  Server& server_;
  Expirer expirer_;
  Evictor evictor_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PROCESS_CRON_H_
