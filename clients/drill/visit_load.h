#ifndef CLOAKROOM_CLIENTS_DRILL_VISIT_LOAD_H_
#define CLOAKROOM_CLIENTS_DRILL_VISIT_LOAD_H_

#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/drill/ledger.h"
#include "clients/drill/recorder.h"
#include "clients/drill/signal.h"
#include "clients/drill/visitor.h"

namespace cloakroom::drill {

/// All visitors of a run, a thread each: they begin when it is made. Client n asks for the level
/// `levels[n % levels.size()]`. `plan` and `recorder` must outlive it.
class VisitLoad {
 public:
  VisitLoad(const VisitPlan& plan, const std::vector<Level>& levels, Recorder& recorder);
  ~VisitLoad() { Stop(); }
  VisitLoad(const VisitLoad&) = delete;
  VisitLoad& operator=(const VisitLoad&) = delete;

  /// Returns when each visitor has finished its visit, which takes a few time-outs at most.
  void Stop();

 private:
  Signal stop_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
  std::vector<std::thread> threads_;
};

/// Which levels this primary offers: WAITAOF came with Redis 7.2 and needs the log.
absl::StatusOr<std::vector<Level>> LevelsOf(const Address& primary, const Credentials& login);

/// Reads all sessions once more from the primary and tells the recorder what it found.
absl::Status ReadBack(const VisitPlan& plan, Recorder& recorder);

/// Removes all sessions. When it fails, they expire within kKeyLifetimeS.
absl::Status RemoveKeys(const VisitPlan& plan);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_VISIT_LOAD_H_
