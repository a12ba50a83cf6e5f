#ifndef CLOAKROOM_CLIENTS_DRILL_VISITOR_H_
#define CLOAKROOM_CLIENTS_DRILL_VISITOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "clients/drill/ledger.h"
#include "clients/drill/primary_finder.h"
#include "clients/drill/recorder.h"
#include "clients/drill/signal.h"
#include "clients/resp_client.h"
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

/// How long WAIT waits for a replica, and WAITAOF for disks: with 'appendfsync everysec' that takes
/// a second on each server.
inline constexpr int64_t kWaitMs = 500;
inline constexpr int64_t kWaitAofMs = 2500;
/// What the drill leaves behind when it cannot remove its keys is gone after this time.
inline constexpr int64_t kKeyLifetimeS = 3600;

std::string KeyOf(const std::string& run, size_t client);

/// One client: a shopper whose pages visit a session again and again, each time over a new
/// connection, as PHP does. A page that fails is not repeated; the next one comes when it is due.
/// No shopper waits for a replica, so a visit has succeeded with the primary's reply; its
/// connection stays open until WAIT or WAITAOF has replied, while the next visits go on.
///
/// Run() is for a thread of its own; several visitors share a Recorder.
class Visitor {
 public:
  Visitor(const VisitPlan& plan, size_t client, Level level, Recorder& recorder);

  /// Visits until `stop` is raised, finishes the visit under way, and waits for all replies.
  void Run(const Signal& stop);

  // The parts of Run().
  absl::Status VisitOnce();
  /// Takes the replies to WAIT and WAITAOF that are there, or are there in time.
  enum class Patience { kNone, kUntilTimeout };
  void TakeReplies(Patience patience);

 private:
  /// A write whose level is not known yet.
  struct Waiting {
    RespClient client;
    uint64_t number = 0;
    std::chrono::steady_clock::time_point until;  // when its reply is overdue
  };

  absl::Status Read(RespClient& client);
  absl::Status Write(RespClient& client);
  void AskForLevel(RespClient client);
  void TakeReply(Waiting& waiting);

  const VisitPlan& plan_;
  const size_t client_;
  const Level level_;
  Recorder& recorder_;
  PrimaryFinder finder_;
  VisitedSession session_;
  uint64_t number_ = 0;  // of the last write that was tried
  std::deque<Waiting> waiting_;
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_VISITOR_H_
