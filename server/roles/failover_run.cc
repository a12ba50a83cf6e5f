// How Replication performs a failover, which link/failover.h decides.

#include <utility>

#include "server/context/errors.h"
#include "server/context/pause.h"
#include "server/context/server.h"
#include "server/roles/link_log.h"
#include "server/roles/replication.h"
#include "storage/base/clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// A failover ends its pause itself; this only keeps timers within what they can count.
constexpr int64_t kPauseMs = int64_t{10} * 365 * 24 * 3600 * 1000;

}  // namespace

std::vector<FailoverReplica> Replication::FailoverReplicas() const {
  std::vector<FailoverReplica> replicas;
  replicas.reserve(facts_.size());
  for (const ReplicaFacts& facts : facts_) {
    replicas.push_back(
        {.ip = facts.ip, .port = facts.port, .online = facts.online, .ack = facts.acked});
  }
  return replicas;
}

absl::Status Replication::Fail(const FailoverRequest& request, Hold& hold) {
  // What this transaction has changed so far must reach the replica, too.
  hold.BeginAnew(server_.keyspace().db(0));
  {
    MutexLock lock(mutex_);
    if (!request.abort && !failover_actions_.empty()) {
      return Refused("ERR FAILOVER already in progress.");
    }
    absl::StatusOr<std::vector<FailoverAction>> actions =
        failover_.Start(request, primary_.has_value(), FailoverReplicas(),
                        history_.OffsetAt(stream_.tail()), server_.clock().MonotonicUs() / 1000);
    if (!actions.ok()) return actions.status();
    Add(*std::move(actions));
  }
  Perform(&hold);
  return absl::OkStatus();
}

void Replication::CheckFailover() {
  {
    MutexLock lock(mutex_);
    if (failover_actions_.empty()) {
      Add(failover_.Check(FailoverReplicas(), history_.OffsetAt(stream_.tail()),
                          server_.clock().MonotonicUs() / 1000));
    }
  }
  Perform(nullptr);
}

void Replication::FailoverAnswered(bool accepted) {
  {
    MutexLock lock(mutex_);
    Add(accepted ? failover_.PsyncAccepted() : failover_.PsyncRejected());
  }
  Perform(nullptr);
}

void Replication::Add(std::vector<FailoverAction> actions) {
  for (FailoverAction& action : actions) failover_actions_.push_back(std::move(action));
  failing_over_ = failover_.active() || !failover_actions_.empty();
}

/// In their order, by one thread at a time: a later action may undo an earlier one.
void Replication::Perform(Hold* hold) {
  for (;;) {
    FailoverAction action{};
    {
      MutexLock lock(mutex_);
      if (performing_ || failover_actions_.empty()) return;
      performing_ = true;
      action = failover_actions_.front();
    }
    const bool done = PerformOne(action, hold);
    MutexLock lock(mutex_);
    performing_ = false;
    if (!done) return;
    failover_actions_.pop_front();
    failing_over_ = failover_.active() || !failover_actions_.empty();
  }
}

/// False: the gates could not be closed now.
bool Replication::PerformOne(const FailoverAction& action, Hold* hold) {
  using Kind = FailoverAction::Kind;
  switch (action.kind) {
    case Kind::kPauseWrites:
      server_.pause().Begin(server_.clock().NowMs() + kPauseMs, /*all=*/false,
                            Pause::By::kFailover);
      return true;
    case Kind::kAskForAcks:
      if (Transport* const its_transport = transport()) its_transport->RequestAcks();
      return true;
    case Kind::kResume:
      server_.pause().End(Pause::By::kFailover);
      return true;
    case Kind::kLog:
      LogLink(action.line);
      return true;
    case Kind::kReplicaOf:
    case Kind::kPromote:
      break;
  }
  Hold own(server_.keyspace().background_slot());
  if (hold == nullptr) {
    if (!own.TryClose(server_.keyspace().databases(), /*queued=*/false)) return false;
    hold = &own;
  }
  if (action.kind == Kind::kPromote) {
    BecomePrimary(*hold);
  } else {
    BecomeReplica(*hold, {action.target.host, static_cast<int>(action.target.port)},
                  /*failover=*/true);
  }
  return true;
}

}  // namespace cloakroom
