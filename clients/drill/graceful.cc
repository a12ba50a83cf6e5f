#include "clients/drill/graceful.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/primary_finder.h"
#include "clients/drill/topology.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kSwitchLimit{30'000};
constexpr int64_t kFailoverTimeoutMs = 10'000;
/// A pause ends by itself after this time; it is renewed as long as it is needed.
constexpr int64_t kPauseMs = 5000;
constexpr milliseconds kRenewEvery{1000};
constexpr milliseconds kAskEvery{20};

/// A pause of all writes, which ends with this object.
class WritePause {
 public:
  explicit WritePause(RespClient& client) : client_(client) {}
  ~WritePause() {
    if (begun_) (void)Ask(client_, {"CLIENT", "UNPAUSE"});
  }
  WritePause(const WritePause&) = delete;
  WritePause& operator=(const WritePause&) = delete;

  absl::Status Begin() {
    begun_ = true;
    renewed_ = Clock::now();
    return Ask(client_, {"CLIENT", "PAUSE", std::to_string(kPauseMs), "WRITE"}).status();
  }
  /// Prolongs it when it is time. A primary that does not answer any more takes no writes.
  void KeepOn() {
    if (Clock::now() >= renewed_ + kRenewEvery) (void)Begin();
  }

 private:
  RespClient& client_;
  bool begun_ = false;
  Clock::time_point renewed_;
};

/// Asks `done` again and again. It says no with false, and ends the wait with an error.
absl::Status Await(const ActContext& context, milliseconds limit, const std::string& what,
                   const std::function<absl::StatusOr<bool>()>& done) {
  const Clock::time_point until = Clock::now() + limit;
  for (;;) {
    const absl::StatusOr<bool> is_done = done();
    if (!is_done.ok()) return is_done.status();
    if (*is_done) return absl::OkStatus();
    if (Clock::now() >= until) return absl::DeadlineExceededError("not in time: " + what);
    if (context.interrupt->WaitFor(kAskEvery)) return absl::CancelledError("interrupted");
  }
}

absl::StatusOr<Server> AskReplication(RespClient& client, const Address& address) {
  absl::StatusOr<InfoText> info = AskInfo(client, "replication");
  if (!info.ok()) return info.status();
  return ReadServer(address, *info);
}

/// Waits until the Sentinels name another primary, which has taken the role. Not even an interrupt
/// ends that, as nobody can call a Sentinel's failover off: without the pause, writes that the
/// former primary takes meanwhile would be lost.
absl::StatusOr<Address> AwaitSwitch(ActContext context, WritePause& pause) {
  const Signal never;
  context.interrupt = &never;
  PrimaryFinder finder({.where = context.where, .timeout_ms = 500});
  Address found;
  absl::Status status = Await(context, kSwitchLimit, "a Sentinel names another primary",
                              [&]() -> absl::StatusOr<bool> {
                                pause.KeepOn();
                                const absl::StatusOr<Address> now = finder.Find();
                                if (!now.ok() || *now == context.primary || !finder.Connect().ok())
                                  return false;
                                found = *now;
                                return true;
                              });
  if (!status.ok()) return status;
  return found;
}

/// Tells the former primary whom to follow, as the Sentinels would do later.
absl::Status Demote(const ActContext& context, const Address& next, RespClient& former) {
  context.say(Concat(
      {ToText(next), " is the primary; ", ToText(context.primary), " is told to follow it"}));
  if (!former.connected()) {  // the Sentinels were faster, and have closed its clients
    absl::StatusOr<RespClient> again = Open(context.primary, context.where.login);
    if (!again.ok()) return again.status();
    former = *std::move(again);
  }
  const std::string port = std::to_string(next.port);
  absl::Status status = Ask(former, {"REPLICAOF", next.host, port}).status();
  // As the Sentinels do; a server without a configuration file has nothing to rewrite.
  if (status.ok()) (void)Ask(former, {"CONFIG", "REWRITE"});
  return status;
}

absl::Status HandOverBySentinel(const ActContext& context) {
  absl::StatusOr<RespClient> primary = Open(context.primary, context.where.login);
  if (!primary.ok()) return primary.status();
  WritePause pause(*primary);
  if (absl::Status status = pause.Begin(); !status.ok()) return status;
  context.say("writes are paused");
  if (absl::Status status = AwaitReplicas(context, context.catch_up_limit); !status.ok())
    return status;
  if (absl::Status status = StartSentinelFailover(context); !status.ok()) return status;
  absl::StatusOr<Address> next = AwaitSwitch(context, pause);
  if (!next.ok()) return next.status();
  return Demote(context, *next, *primary);
}

absl::Status HandOverByFailover(const ActContext& context, const std::optional<Address>& target) {
  absl::StatusOr<RespClient> primary = Open(context.primary, context.where.login);
  if (!primary.ok()) return primary.status();
  const std::string timeout_ms = std::to_string(kFailoverTimeoutMs);
  absl::StatusOr<ReplyValue> reply;
  if (target) {
    const std::string port = std::to_string(target->port);
    reply = Ask(*primary, {"FAILOVER", "TO", target->host, port, "TIMEOUT", timeout_ms});
  } else {
    reply = Ask(*primary, {"FAILOVER", "TIMEOUT", timeout_ms});
  }
  if (!reply.ok()) return reply.status();
  context.say("FAILOVER has begun");
  absl::Status status =
      Await(context, kSwitchLimit, "the end of FAILOVER", [&]() -> absl::StatusOr<bool> {
        // A server that gives up its role may close its clients.
        if (!primary->connected()) primary = Open(context.primary, context.where.login);
        if (!primary.ok()) return primary.status();
        const absl::StatusOr<InfoText> info = AskInfo(*primary, "replication");
        if (!info.ok()) return false;
        if (info->Text("master_failover_state") != "no-failover") return false;
        if (info->Text("role") == "slave") return true;
        return absl::AbortedError("the primary gave up FAILOVER; its server log says why");
      });
  if (absl::IsCancelled(status) && primary.ok()) (void)Ask(*primary, {"FAILOVER", "ABORT"});
  return status;
}

}  // namespace

absl::Status HandOver(const ActContext& context, std::optional<Address> target) {
  return context.where.has_sentinels() ? HandOverBySentinel(context)
                                       : HandOverByFailover(context, target);
}

absl::Status StartSentinelFailover(const ActContext& context) {
  absl::Status last;
  for (const Address& sentinel : context.where.sentinels) {
    absl::StatusOr<RespClient> client = Open(sentinel, context.where.sentinel_login);
    last = client.status();
    if (!client.ok()) continue;
    last = Ask(*client, {"SENTINEL", "FAILOVER", context.where.master}).status();
    if (!last.ok()) return last;
    context.say(Concat({"SENTINEL FAILOVER, asked of ", ToText(sentinel)}));
    return last;
  }
  return last;
}

absl::Status AwaitReplicas(const ActContext& context, milliseconds limit) {
  absl::StatusOr<RespClient> client = Open(context.primary, context.where.login);
  if (!client.ok()) return client.status();
  const absl::StatusOr<Server> primary = AskReplication(*client, context.primary);
  if (!primary.ok()) return primary.status();
  std::vector<RespClient> replicas;
  for (const Address& address : context.replicas) {
    absl::StatusOr<RespClient> replica = Open(address, context.where.login);
    if (replica.ok()) replicas.push_back(*std::move(replica));
  }
  return Await(context, limit, "the replicas have all writes", [&]() -> absl::StatusOr<bool> {
    bool any = false;
    for (RespClient& replica : replicas) {
      const absl::StatusOr<Server> said = AskReplication(replica, {});
      if (!said.ok() || !said->link_up) continue;
      if (said->offset < primary->offset) return false;
      any = true;
    }
    return any;
  });
}

}  // namespace cloakroom::drill
