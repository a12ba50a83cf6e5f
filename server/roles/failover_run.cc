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
constexpr int64_t kPauseMs = int64_t{24} * 3600 * 1000;

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
  Failover::Started started;
  {
    MutexLock lock(mutex_);
    started =
        failover_.Start(request, primary_.has_value(), FailoverReplicas(),
                        history_.OffsetAt(stream_.tail()), server_.clock().MonotonicUs() / 1000);
    failing_over_ = failover_.active();
  }
  if (!started.error.empty()) return Refused(started.error);
  Perform(std::move(started.actions), &hold);
  return absl::OkStatus();
}

void Replication::CheckFailover() {
  std::vector<FailoverAction> actions;
  {
    MutexLock lock(mutex_);
    actions = std::exchange(waiting_actions_, {});
    if (actions.empty()) {
      actions = failover_.Check(FailoverReplicas(), history_.OffsetAt(stream_.tail()),
                                server_.clock().MonotonicUs() / 1000);
    }
    failing_over_ = failover_.active();
  }
  Perform(std::move(actions), nullptr);
}

void Replication::FailoverAnswered(bool accepted) {
  std::vector<FailoverAction> actions;
  {
    MutexLock lock(mutex_);
    actions = accepted ? failover_.PsyncAccepted() : failover_.PsyncRejected();
    failing_over_ = failover_.active();
  }
  Perform(std::move(actions), nullptr);
}

void Replication::Perform(std::vector<FailoverAction> actions, Hold* hold) {
  for (size_t i = 0; i < actions.size(); ++i) {
    if (PerformOne(actions[i], hold)) continue;
    MutexLock lock(mutex_);
    waiting_actions_.assign(actions.begin() + static_cast<ptrdiff_t>(i), actions.end());
    failing_over_ = true;  // so that it is checked again
    return;
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
