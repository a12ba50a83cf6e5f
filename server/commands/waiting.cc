// WAIT WAITAOF.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "server/commands/families.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"

namespace cloakroom {
namespace {

constexpr std::string_view kNoTimeout = "ERR timeout is not an integer or out of range";

/// A place on the board of acknowledgements, which ends with the request.
class AckPlace {
 public:
  explicit AckPlace(AckBoard& board) : board_(board) {}
  ~AckPlace() {
    if (ticket_) board_.Cancel(*ticket_);
  }
  AckPlace(const AckPlace&) = delete;
  AckPlace& operator=(const AckPlace&) = delete;

  void Take(const AckBoard::Goal& goal, std::function<void()> wake) {
    ticket_ = board_.Wait(goal, kNever, wake);
    // So many have acknowledged it meanwhile.
    if (!ticket_) wake();
  }

 private:
  AckBoard& board_;
  std::optional<AckBoard::Ticket> ticket_;
};

/// The offset behind what the client last changed; 0: nothing.
int64_t WrittenUpTo(Call& call) {
  const int64_t written = call.client().write_position;
  return written == 0 ? 0 : call.server().replication().OffsetAt(written);
}

/// Parks the request until the goal is reached, or the time is over. `answer` writes the reply.
void AwaitGoal(Call& call, const AckBoard::Goal& goal, int64_t timeout_ms,
               std::function<void(ReplyWriter&)> answer) {
  Replication& replication = call.server().replication();
  auto place = std::make_shared<AckPlace>(replication.board());
  call.Block({.time_limit_ms = timeout_ms,
              .time_out = [place, answer](ReplyWriter& reply) { answer(reply); },
              .begin =
                  [place, &replication, goal](std::weak_ptr<BlockedRequest> request) {
                    place->Take(goal, [request] {
                      if (const auto waiting = request.lock())
                        waiting->Unblock(/*with_error=*/false);
                    });
                    Replication::Transport* const transport = replication.transport();
                    if (transport == nullptr) return;
                    transport->RequestAcks();
                    if (goal.local) transport->WatchLog();
                  }});
}

void Wait(Call& call) {
  Replication& replication = call.server().replication();
  if (replication.is_replica()) {
    return call.Error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
        "a replica is configured to be writable (which is not the default) writes to replicas are "
        "just local and are not propagated.");
  }
  Arguments args(call, 1);
  const int64_t replicas = args.Integer();
  const int64_t timeout_ms = args.Integer(kNoTimeout);
  if (timeout_ms < 0) args.Fail("ERR timeout is negative");
  if (!args.Finish()) return;
  const int64_t offset = WrittenUpTo(call);
  const int64_t acked = replication.board().CountAcked(offset);
  if (acked >= replicas || !call.may_block()) return call.reply().Integer(acked);
  AwaitGoal(call, {.offset = offset, .replicas = replicas}, timeout_ms,
            [&replication, offset](ReplyWriter& reply) {
              reply.Integer(replication.board().CountAcked(offset));
            });
}

void WaitAof(Call& call) {
  Arguments args(call, 1);
  const int64_t local = args.Integer();
  if (local < 0 || local > 1) {
    args.Fail("ERR value is out of range, value must between 0 and 1");
  }
  const int64_t replicas = args.Integer();
  if (replicas < 0) args.Fail("ERR value is out of range, must be positive");
  const int64_t timeout_ms = args.Integer(kNoTimeout);
  if (timeout_ms < 0) args.Fail("ERR timeout is negative");
  if (!args.Finish()) return;
  Replication& replication = call.server().replication();
  if (replication.is_replica()) {
    return call.Error(
        "ERR WAITAOF cannot be used with replica instances. Please also note that writes to "
        "replicas are just local and are not propagated.");
  }
  // A log that has been switched on and is not there yet will have it.
  Persistence& persistence = call.server().persistence();
  const bool logs = persistence.journal().on() || persistence.log_keeper().wanted();
  if (local > 0 && !logs) {
    return call.Error(
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  }
  const int64_t offset = WrittenUpTo(call);
  const auto answer = [&replication, offset](ReplyWriter& reply) {
    AckBoard& board = replication.board();
    reply.Array(2);
    reply.Integer(board.IsLocalSynced(offset) ? 1 : 0);
    reply.Integer(board.CountFsynced(offset));
  };
  replication.NoteSynced();
  const bool reached = (local == 0 || replication.board().IsLocalSynced(offset)) &&
                       replication.board().CountFsynced(offset) >= replicas;
  if (reached || !call.may_block()) return answer(call.reply());
  AwaitGoal(call, {.offset = offset, .replicas = replicas, .fsynced = true, .local = local > 0},
            timeout_ms, answer);
}

// Read as a table.
// clang-format off
constexpr CommandRow kWaitingCommands[] = {
    {.name = "wait", .run = Wait, .arity = 3, .flags = kNoScript,
     .request_policy = "all_shards", .response_policy = "agg_min", .since = "3.0.0",
     .complexity = "O(1)", .syntax = "numreplicas:integer timeout:integer",
     .summary = "Waits until replicas have acknowledged what the client has changed."},
    {.name = "waitaof", .run = WaitAof, .arity = 4, .flags = kNoScript,
     .request_policy = "all_shards", .response_policy = "agg_min", .since = "7.2.0",
     .complexity = "O(1)", .syntax = "numlocal:integer numreplicas:integer timeout:integer",
     .summary = "Waits until what the client has changed is on the disk, here and at replicas."},
};
// clang-format on

}  // namespace

CommandFamily WaitingCommands() {
  return {CommandGroup::kGeneric, kCatConnection, kWaitingCommands};
}

}  // namespace cloakroom
