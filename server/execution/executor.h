#ifndef CLOAKROOM_SERVER_EXECUTION_EXECUTOR_H_
#define CLOAKROOM_SERVER_EXECUTION_EXECUTOR_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/reply_writer.h"
#include "server/context/server.h"
#include "server/execution/call.h"
#include "server/execution/command_table.h"
#include "server/metrics/monitor_feed.h"
#include "server/session/client.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// A request of a batch, looked up: what the executor needs besides the arguments.
struct Request {
  CommandArguments args;
  const Command* command = nullptr;  ///< null: unknown
  bool hashed = false;               ///< first_key is its first key
  std::string_view first_key;
  KeyHash first_hash;
  /// Set when it runs again after kPrepare: what was prepared, how often that was done, and when
  /// it first ran.
  LongWork::Prepared prepared;
  int preparations = 0;
  int64_t first_run_us = 0;
};

/// What became of a request. Everything but kDone is for the connection to wait for, and to come
/// back; it executes no other request of this client meanwhile.
struct Outcome {
  enum class Kind {
    kDone,      ///< the reply is written
    kGate,      ///< nothing was done: wait for `gate`, as `wish` says, and try again
    kSoon,      ///< nothing was done: try again in `soon`
    kPaused,    ///< nothing was done: try again at `until_ms`, or when the pause ends
    kDeferred,  ///< `work` writes the reply, on a worker thread
    kPrepare,   ///< nothing was done: try again with what `work` prepares, on a worker thread
  };
  Kind kind = Kind::kDone;
  Gate* gate = nullptr;
  Gate::Wish wish = {};
  std::chrono::microseconds soon = Hold::kSoon;
  int64_t until_ms = 0;
  LongWork::Function work;
  int64_t started_us = 0;
};

/// Runs requests for the clients of one event loop: everything that stands between a parsed
/// request and its command function, and what is noted afterwards. A state machine without I/O.
///
/// Thread rule: the thread of its context.
class Executor {
 public:
  Executor(Server& server, ThreadContext& thread)
      : server_(server), thread_(thread), exec_(server.commands().FindName("exec")) {}

  /// Reads the clock. Call it when the loop wakes up, before the first Execute.
  void BeginBatch();
  /// Looks a request up and hashes its first key.
  Request Prepare(CommandArguments args) const;
  /// Fetches what the batch is about to look up into the cache: buckets first, then entries, so
  /// that the misses overlap.
  void Prefetch(std::span<const Request> batch, int db);

  /// Executes one request and writes its reply. `queued`: the client holds a ticket for the gate
  /// that refused it before.
  Outcome Execute(Client& client, const Request& request, ReplyWriter& reply, bool queued);
  /// When the work of a kDeferred request is done, on the event loop again: notes its duration, and
  /// its error where there is a code.
  void FinishDeferred(Client& client, const Request& request, int64_t started_us,
                      std::string_view error_code);

  /// Runs a command for a script or a transaction, under `hold`, which that has already. The
  /// command is known and its arity is right.
  void RunNested(Client& client, const Command& command, CommandArguments args, ReplyWriter& reply,
                 int64_t now_ms, CallMode mode, Hold& hold);

  /// When the last command ended, or the batch began: monotonic.
  int64_t now_us() const { return now_us_; }
  int64_t now_ms() const { return wall_ms_ + (now_us_ - batch_us_) / 1000; }
  ThreadContext& thread() { return thread_; }
  Server& server() { return server_; }

 private:
  /// Execute for a client that gets its replies.
  Outcome ExecuteAloud(Client& client, const Request& request, ReplyWriter& reply, bool queued);
  /// The error that refuses a request before it runs, or empty.
  std::string Refusal(Client& client, const Request& request);
  std::string RefusalOfMemory(Client& client, const Command& command);
  /// The evictor's, telling the latency monitor when it takes long.
  Evictor::Outcome MakeRoom();
  std::string UnknownCommand(CommandArguments args) const;
  Outcome Refuse(Client& client, const Request& request, std::string_view error,
                 ReplyWriter& reply);
  void CountFailure(const Command& command, std::string_view error_code);
  void CountError(std::string_view error);
  Outcome Enqueue(Client& client, const Request& request, ReplyWriter& reply);
  /// Whether the request has one of these flags: EXEC is what its queue is.
  bool HasFlag(const Client& client, const Request& request, uint32_t flags) const;
  /// Whether it is a script, or a transaction with one in it, as far as an end holds those back.
  bool RunsScript(const Client& client, const Request& request) const;
  /// What a script, or a transaction with one in it, is told while this event loop runs another.
  bool LacksInterpreter(const Client& client, const Request& request) const {
    return thread_.in_script && HasFlag(client, request, kInterpreter);
  }
  /// What becomes of a request that did not get its hold.
  Outcome Wait(Client& client, const Request& request, const Hold& hold, bool queued,
               ReplyWriter& reply);
  bool TryHold(Hold& hold, Client& client, const Request& request, bool queued);
  bool TryHoldKeys(Hold& hold, Database& db, const Request& request);
  Outcome RunHeld(Client& client, const Request& request, ReplyWriter& reply, Hold& hold);
  /// Tells the monitors of a command that has run, and counts its error.
  void NoteRun(const Call& call);
  void Note(Client& client, const Command& command, CommandArguments args, int64_t duration_us);
  void TellMonitors(const Client& client, const Command& command, CommandArguments args,
                    CallMode mode);

  // Transactions (transaction.cc).
  Outcome ExecuteTransaction(Client& client, const Request& request, ReplyWriter& reply,
                             bool queued);
  bool TryHoldTransaction(Hold& hold, Client& client, bool queued);
  bool WatchedKeysChanged(Client& client);
  void RunQueue(Client& client, ReplyWriter& reply, Hold& hold);
  /// What monitors are told of a transaction that holds stripes, when it has given them back. Null
  /// for all else: they are told at once.
  MonitorNotes* notes_ = nullptr;

  Server& server_;
  ThreadContext& thread_;
  const Command* const exec_;  ///< the one command whose hold depends on its client
  int64_t wall_ms_ = 0;        ///< when the batch began
  int64_t batch_us_ = 0;       ///< the same, on the monotonic clock
  int64_t now_us_ = 0;         ///< when the last command ended
};

/// Forgets what the client watches. Any gate that is closed just now is waited for elsewhere.
void UnwatchAll(Server& server, GateSlot slot, Client& client);
/// Leaves MULTI, as DISCARD does.
void LeaveMulti(Server& server, GateSlot slot, Client& client);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_EXECUTOR_H_
