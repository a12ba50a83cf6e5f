#ifndef CLOAKROOM_SERVER_EXECUTION_EXECUTOR_H_
#define CLOAKROOM_SERVER_EXECUTION_EXECUTOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "protocol/reply_writer.h"
#include "server/context/server.h"
#include "server/execution/accounting.h"
#include "server/execution/admission.h"
#include "server/execution/batch.h"
#include "server/execution/call.h"
#include "server/execution/command_table.h"
#include "server/execution/request.h"
#include "server/session/client.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// Runs requests for the clients of one event loop: admission (admission.h) decides whether a
/// request may run, a hold takes its keys, its function runs, and accounting (accounting.h) records
/// it. A state machine without I/O.
///
/// Thread rule: the thread of its context.
class Executor {
 public:
  Executor(Server& server, ThreadContext& thread)
      : server_(server), thread_(thread), admission_(server, thread), accounting_(server, thread) {}

  /// Reads the clock. Call it before the first Execute after a wait.
  void BeginBatch();
  /// Looks a request up and hashes its first key. `before`: the request before it in its batch, if
  /// any; mostly it names the same command.
  Request Prepare(CommandArguments args, const Request* before = nullptr) const;
  /// Prepares all requests of the batch, and fetches what they are about to look up into the cache,
  /// so that the misses overlap.
  void Prepare(Batch& batch);
  /// The batches under way.
  Batches& batches() { return *batches_; }
  /// Returns the batches that were under way; they keep their place in memory.
  std::unique_ptr<Batches> ExchangeBatches(std::unique_ptr<Batches> batches) {
    return std::exchange(batches_, std::move(batches));
  }

  /// Executes one request and writes its reply. `queued`: the client holds a ticket for the gate
  /// that refused it before.
  Outcome Execute(Client& client, const Request& request, ReplyWriter& reply, bool queued);
  /// Call it on the event loop when the work of a kLongWork request is done. Records the duration,
  /// and the error if there is a code.
  void FinishLongWork(Client& client, const Request& request, int64_t started_us,
                      std::string_view error_code);

  /// Call it when a kBlocked request has been settled and its event loop knows: takes the request
  /// out of the queues of its keys, and writes its reply.
  void FinishBlocked(Client& client, const Request& request, const Outcome& outcome,
                     ReplyWriter& reply);
  /// Call it instead for a request that then runs again (BlockedRequest::runs_again).
  void EndBlock(Client& client, const std::shared_ptr<BlockedRequest>& blocked);
  /// Call it when a request that may have waited is over, and when the client is gone: a
  /// SESSION.OPEN that got no lock leaves its queue.
  void LeaveSessionQueue(Client& client);
  /// Strikes the sessions that the client has lost from its list, as far as nobody is in the way.
  void PruneHeldSessions(Client& client);
  /// Call it when the client is gone: gives back its sessions.
  void GiveBackSessions(Client& client);
  /// Call it when the client of a blocked request is gone.
  void AbandonBlocked(Client& client, const std::shared_ptr<BlockedRequest>& blocked);

  /// Runs a command for a script or a transaction, under the `hold` that these have already.
  /// REQUIRES: the command is known and its arity is right.
  void RunNested(Client& client, const Request& request, ReplyWriter& reply, int64_t at_ms,
                 CallMode mode, Hold& hold);

  /// Counts the refusal of a command to a client's script. Null: no command has that name.
  void NoteRefused(Client& client, const Command* command, std::string_view error) {
    accounting_.CountRejected(command, error);
    CloseIfDemoted(client, error);
  }

  /// When the last command ended or, before that, when the batch began; monotonic.
  int64_t now_us() const { return now_us_; }
  int64_t now_ms() const { return wall_ms_ + (now_us_ - batch_us_) / 1000; }
  /// The request that executes gets its reply from long work: what its changes push to its own
  /// client comes behind that.
  bool replies_later() const { return replies_later_; }
  const Admission& admission() const { return admission_; }
  Accounting& accounting() { return accounting_; }
  ThreadContext& thread() { return thread_; }
  Server& server() { return server_; }

 private:
  const Command* FindCommand(CommandArguments args, const Request* before) const;
  /// Closes a client whose write was refused because this server is no longer the primary that the
  /// client connected to (close-after-readonly), unless it was the client that has demoted it.
  void CloseIfDemoted(Client& client, std::string_view error) const;
  /// Buckets first, then entries.
  void Prefetch(std::span<const Request> requests, int db);
  /// Executes and always writes the reply.
  Outcome ExecuteAndReply(Client& client, const Request& request, ReplyWriter& reply, bool queued);
  /// The same under CLIENT REPLY OFF or SKIP, which drop the reply.
  Outcome ExecuteAndDrop(Client& client, const Request& request, ReplyWriter& reply, bool queued);
  Outcome Refuse(Client& client, const Request& request, std::string_view error,
                 ReplyWriter& reply);
  /// When the pause ends for the request; 0: it may run.
  int64_t PausedUntilMs(const Client& client, const Request& request) const;
  std::optional<Outcome> HeldBack(Client& client, const Request& request, Hold& hold,
                                  ReplyWriter& reply);
  /// The outcome of a request that did not get its hold.
  Outcome Wait(Client& client, const Request& request, const Hold& hold, bool queued,
               ReplyWriter& reply);
  bool TryHold(Hold& hold, Client& client, const Request& request, bool queued);
  bool TryHoldKeys(Hold& hold, Database& db, const Request& request);
  Outcome RunHeld(Client& client, const Request& request, ReplyWriter& reply, Hold& hold);
  Outcome Block(Call& call, Hold& hold);
  /// Remembers the keys that a client who tracks has read, while `hold` has them.
  void Track(Client& client, const Command& command, CommandArguments args, Hold& hold);
  /// Ends the turn of a request of such a client, when nothing is held any more.
  void EndTracked(Client& client, const Request& request, const Outcome& outcome);
  /// Notes that the request is no longer parked.
  void Unpark(Client& client, const std::shared_ptr<BlockedRequest>& blocked);
  Outcome ExecuteTransaction(Client& client, const Request& request, ReplyWriter& reply,
                             bool queued);
  void ShowToMonitors(const Client& client, const Request& exec);
  void RunQueue(Client& client, ReplyWriter& reply, Hold& hold);

  Server& server_;
  ThreadContext& thread_;
  Admission admission_;
  Accounting accounting_;
  std::unique_ptr<Batches> batches_ = std::make_unique<Batches>();
  int64_t wall_ms_ = 0;   ///< when the batch began
  int64_t batch_us_ = 0;  ///< the same, on the monotonic clock
  int64_t now_us_ = 0;    ///< when the last command ended
  bool replies_later_ = false;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_EXECUTOR_H_
