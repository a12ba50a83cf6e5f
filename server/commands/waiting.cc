// WAIT.
#include <memory>
#include <optional>
#include <utility>

#include "server/commands/families.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/roles/replication.h"

namespace cloakroom {
namespace {

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

void Wait(Call& call) {
  if (call.server().replication().is_replica()) {
    return call.Error(
        "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if "
        "a replica is configured to be writable (which is not the default) writes to replicas are "
        "just local and are not propagated.");
  }
  Arguments args(call, 1);
  const int64_t replicas = args.Integer();
  const int64_t timeout_ms = args.Integer("ERR timeout is not an integer or out of range");
  if (timeout_ms < 0) args.Fail("ERR timeout is negative");
  if (!args.Finish()) return;
  Replication& replication = call.server().replication();
  const int64_t written = call.client().write_position;
  const int64_t offset = written == 0 ? 0 : replication.OffsetAt(written);
  const int64_t acked = replication.board().CountAcked(offset);
  if (acked >= replicas || !call.may_block()) return call.reply().Integer(acked);
  auto place = std::make_shared<AckPlace>(replication.board());
  call.Block({.time_limit_ms = timeout_ms,
              .time_out =
                  [place, &replication, offset](ReplyWriter& reply) {
                    reply.Integer(replication.board().CountAcked(offset));
                  },
              .begin =
                  [place, &replication, offset, replicas](std::weak_ptr<BlockedRequest> request) {
                    place->Take({.offset = offset, .replicas = replicas}, [request] {
                      if (const auto waiting = request.lock())
                        waiting->Unblock(/*with_error=*/false);
                    });
                    if (auto* transport = replication.transport()) transport->RequestAcks();
                  }});
}

// Read as a table.
// clang-format off
constexpr CommandRow kWaitingCommands[] = {
    {.name = "wait", .run = Wait, .arity = 3, .flags = kNoScript,
     .request_policy = "all_shards", .response_policy = "agg_min", .since = "3.0.0",
     .complexity = "O(1)", .syntax = "numreplicas:integer timeout:integer",
     .summary = "Waits until replicas have acknowledged what the client has changed."},
};
// clang-format on

}  // namespace

CommandFamily WaitingCommands() {
  return {CommandGroup::kGeneric, kCatConnection, kWaitingCommands};
}

}  // namespace cloakroom
