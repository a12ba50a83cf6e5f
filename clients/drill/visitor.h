#ifndef CLOAKROOM_CLIENTS_DRILL_VISITOR_H_
#define CLOAKROOM_CLIENTS_DRILL_VISITOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "clients/drill/ledger.h"
#include "clients/drill/primary_finder.h"
#include "clients/drill/recorder.h"
#include "clients/drill/signal.h"
#include "clients/session_visit.h"

namespace cloakroom::drill {

/// What all visitors of a run have in common.
struct VisitPlan {
  PrimaryFinder::Options finder;
  std::string run;
  int64_t database = 2;
  int64_t clients = 50;
  int64_t rate = 5;  ///< visits of each client in a second
};

/// How long WAIT and WAITAOF wait for a replica.
inline constexpr int64_t kWaitMs = 500;
/// What the drill leaves behind when it cannot remove its keys is gone after this time.
inline constexpr int64_t kKeyLifetimeS = 3600;

std::string KeyOf(const std::string& run, size_t client);

/// One client: a shopper whose pages visit a session again and again, each time over a new
/// connection, as PHP does. A page that fails is not repeated; the next one comes when it is due.
///
/// Run() is for a thread of its own; several visitors share a Recorder.
class Visitor {
 public:
  Visitor(const VisitPlan& plan, size_t client, Level level, Recorder& recorder);

  /// Visits until `stop` is raised, and finishes the visit under way.
  void Run(const Signal& stop);

  /// One visit, for Run().
  absl::Status VisitOnce();

 private:
  absl::Status Read(RespClient& client);
  absl::Status Write(RespClient& client);
  void Acknowledge(RespClient& client);

  const VisitPlan& plan_;
  const size_t client_;
  const Level level_;
  Recorder& recorder_;
  PrimaryFinder finder_;
  VisitedSession session_;
  uint64_t number_ = 0;  // of the last write that was tried
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_VISITOR_H_
