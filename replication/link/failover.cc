#include "replication/link/failover.h"

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/link/link_errors.h"

namespace cloakroom {
namespace {

using ActionKind = FailoverAction::Kind;

absl::Status Refused(const char* reply) { return absl::FailedPreconditionError(reply); }

FailoverAction Log(std::initializer_list<std::string_view> parts) {
  return {.kind = ActionKind::kLog, .line = LinkLine::Notice(Concat(parts))};
}

/// Without brackets around an IPv6 address, as Redis logs it.
std::string Plain(const FailoverTarget& target) {
  return Concat({target.host, ":", std::to_string(target.port)});
}

bool Is(const FailoverReplica& replica, const FailoverTarget& target) {
  return EqualsIgnoreCase(replica.ip, target.host) && replica.port == target.port;
}

/// Reads TIMEOUT's number into `request`.
absl::Status ReadTimeout(std::string_view word, FailoverRequest& request) {
  const std::optional<int64_t> timeout_ms = ParseInteger(word);
  if (!timeout_ms) return absl::InvalidArgumentError(kNoInteger);
  if (*timeout_ms <= 0) {
    return absl::InvalidArgumentError("ERR FAILOVER timeout must be greater than 0");
  }
  request.timeout_ms = *timeout_ms;
  return absl::OkStatus();
}

absl::Status ReadTarget(std::string_view host, std::string_view port_word,
                        FailoverRequest& request) {
  const std::optional<int64_t> port = ParseInteger(port_word);
  if (!port) return absl::InvalidArgumentError(kNoInteger);
  request.target = FailoverTarget{std::string(host), *port};
  return absl::OkStatus();
}

absl::Status MayStart(const FailoverRequest& request, bool is_replica,
                      std::span<const FailoverReplica> replicas) {
  if (is_replica) return Refused("ERR FAILOVER is not valid when server is a replica.");
  if (replicas.empty()) return Refused("ERR FAILOVER requires connected replicas.");
  if (request.force && (!request.target || request.timeout_ms == 0)) {
    return Refused(
        "ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
  }
  if (!request.target) return absl::OkStatus();
  const auto found = std::find_if(
      replicas.begin(), replicas.end(),
      [&request](const FailoverReplica& replica) { return Is(replica, *request.target); });
  if (found == replicas.end()) {
    return Refused("ERR FAILOVER target HOST and PORT is not a replica.");
  }
  if (!found->online) return Refused("ERR FAILOVER target replica is not online.");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FailoverRequest> FailoverRequest::Read(std::span<const std::string_view> words) {
  FailoverRequest request;
  if (words.size() == 1 && EqualsIgnoreCase(words[0], "abort")) {
    request.abort = true;
    return request;
  }
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t behind = words.size() - i - 1;
    if (EqualsIgnoreCase(words[i], "timeout") && behind >= 1 && request.timeout_ms == 0) {
      if (absl::Status read = ReadTimeout(words[++i], request); !read.ok()) return read;
    } else if (EqualsIgnoreCase(words[i], "to") && behind >= 2 && !request.target) {
      absl::Status read = ReadTarget(words[i + 1], words[i + 2], request);
      if (!read.ok()) return read;
      i += 2;
    } else if (EqualsIgnoreCase(words[i], "force") && !request.force) {
      request.force = true;
    } else {
      return absl::InvalidArgumentError("ERR syntax error");
    }
  }
  return request;
}

absl::StatusOr<std::vector<FailoverAction>> Failover::Start(
    const FailoverRequest& request, bool is_replica, std::span<const FailoverReplica> replicas,
    int64_t tail, int64_t now_ms) {
  if (request.abort) {
    if (!active()) return Refused("ERR No failover in progress.");
    return Abort("Failover manually aborted");
  }
  if (active()) return Refused("ERR FAILOVER already in progress.");
  if (absl::Status may = MayStart(request, is_replica, replicas); !may.ok()) return may;

  state_ = State::kWaitingForSync;
  target_ = request.target;
  force_ = request.force;
  goal_ = tail;
  if (request.timeout_ms > 0)
    deadline_ms_ = request.timeout_ms < kNever - now_ms ? now_ms + request.timeout_ms : kNever;

  Actions actions = {target_ ? Log({"FAILOVER requested to ", Plain(*target_), "."})
                             : Log({"FAILOVER requested to any replica."}),
                     {.kind = ActionKind::kPauseWrites}};
  const Actions next = Check(replicas, tail, now_ms);
  actions.insert(actions.end(), next.begin(), next.end());
  if (next.empty()) actions.push_back({.kind = ActionKind::kAskForAcks});
  return actions;
}

bool Failover::Synced(const FailoverReplica& replica, int64_t tail) const {
  // An ACK beyond the stream's end says nothing about what the replica has.
  return replica.online && replica.ack >= goal_ && replica.ack <= tail;
}

std::vector<FailoverAction> Failover::Check(std::span<const FailoverReplica> replicas, int64_t tail,
                                            int64_t now_ms) {
  if (state_ != State::kWaitingForSync) return {};
  if (now_ms >= deadline_ms_) {
    if (!force_) return Abort("Replica never caught up before timeout");
    return Begin(Concat({"FAILOVER to ", Plain(*target_), " time out exceeded, failing over."}));
  }
  for (const FailoverReplica& replica : replicas) {
    if (!Synced(replica, tail) || (target_ && !Is(replica, *target_))) continue;
    if (!target_) target_ = FailoverTarget{std::string(replica.ip), replica.port};
    return Begin(Concat({"Failover target ", Plain(*target_), " is synced, failing over."}));
  }
  return {};
}

Failover::Actions Failover::Begin(std::string why) {
  state_ = State::kInProgress;
  deadline_ms_ = kNever;
  return {Log({why}), {.kind = ActionKind::kReplicaOf, .target = *target_}};
}

Failover::Actions Failover::Abort(std::string_view why) {
  const std::string target = target_ ? Plain(*target_) : "any replica";
  Actions actions = {Log({"FAILOVER to ", target, " aborted: ", why})};
  if (state_ == State::kInProgress) actions.push_back({.kind = ActionKind::kPromote});
  const Actions end = End();
  actions.insert(actions.end(), end.begin(), end.end());
  return actions;
}

Failover::Actions Failover::End() {
  *this = Failover();
  return {{.kind = ActionKind::kResume}};
}

std::vector<FailoverAction> Failover::PsyncAccepted() {
  if (state_ != State::kInProgress) return {};
  return End();
}

std::vector<FailoverAction> Failover::PsyncRejected() {
  if (state_ != State::kInProgress) return {};
  return Abort("Failover target rejected psync request");
}

std::vector<FailoverAction> Failover::PsyncNotSent() {
  if (state_ != State::kInProgress) return {};
  return Abort("Write error to failover target");
}

std::string_view Failover::state_name() const {
  switch (state_) {
    case State::kNone:
      return "no-failover";
    case State::kWaitingForSync:
      return "waiting-for-sync";
    case State::kInProgress:
      return "failover-in-progress";
  }
  return "";
}

}  // namespace cloakroom
