#ifndef CLOAKROOM_SERVER_NET_CONVERSATION_H_
#define CLOAKROOM_SERVER_NET_CONVERSATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"
#include "server/execution/batch.h"
#include "server/execution/executor.h"
#include "server/session/client.h"
#include "storage/gate/gate_tickets.h"

namespace cloakroom {

/// The conversation with one client, without its socket: bytes in, replies out, and what to do
/// next. The connection (net/) does what it says and comes back.
///
/// Thread rule: the event loop of the connection.
class Conversation {
 public:
  enum class Next {
    kRead,      ///< give me more bytes
    kTurn,      ///< its turn is over: call Consume with what was kept when the others had theirs
    kGate,      ///< call Resume when gate() opens, see wish()
    kSoon,      ///< call Resume in soon()
    kPause,     ///< call Resume at pause_until_ms(), or when the pause ends
    kBlocked,   ///< call FinishBlocked when blocked() has been settled
    kLongWork,  ///< run TakeLongWork() on a worker thread, then call FinishLongWork
    kClose,     ///< send the replies, then close
  };

  /// What one Consume may do before the other clients have their turn. The request that reaches a
  /// limit is finished, so a turn may exceed it by one request. The limits are looked at between
  /// requests: a transaction or a script is one.
  struct Turn {
    /// A multiple of what is parsed and looked up together.
    int requests = 128;
    /// What the socket takes at one go, as a rule.
    size_t reply_bytes = 256 * 1024;
    int64_t time_us = 1000;
  };

  Conversation(Executor& executor, std::shared_ptr<Client> client);
  /// Forgets MULTI and WATCH.
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// Parses the first requests in `bytes` into `batch`, ahead of Consume, so that those of several
  /// clients can be prepared together (Executor::Prepare). It leaves to Consume what must not be
  /// parsed before its turn. Then either Consume follows with the same bytes, or
  /// ParseAgain.
  void Begin(std::span<char> bytes, Batch& batch);
  /// Has Consume parse what Begin has parsed.
  void ParseAgain();

  /// Executes the requests in `bytes`, which begin where the last call left off: the connection
  /// drops consumed() bytes from the front and keeps the rest. Appends the replies to `out`. Stops
  /// with kTurn where `turn` is used up and there are bytes left, whole requests or not. The turn
  /// begins when the executor last looked at the clock (BeginBatch).
  Next Consume(std::span<char> bytes, OutputBuffer& out, const Turn& turn);
  size_t consumed() const { return consumed_; }
  /// After kRead: bytes that the argument under way still needs, 0 when that is not known.
  size_t bytes_wanted() const { return parser_.bytes_wanted(); }

  /// Tries the request again that had to wait. Afterwards, or after FinishLongWork, Consume goes on
  /// with what was kept (kRead here means just that).
  Next Resume(OutputBuffer& out);
  Next FinishLongWork(LongWork& work, OutputBuffer& out);
  Next FinishBlocked(OutputBuffer& out);
  /// The client is gone: nothing is served to it any more.
  void Abandon();

  Gate* gate() const { return outcome_.gate; }
  Gate::Wish wish() const { return {outcome_.wish.closes, queued(), outcome_.wish.hears_busy}; }
  /// Whether the parked request has a ticket.
  bool queued() const { return tickets_.any(); }
  std::chrono::microseconds soon() const { return outcome_.soon; }
  int64_t pause_until_ms() const { return outcome_.until_ms; }
  const std::shared_ptr<BlockedRequest>& blocked() const { return outcome_.blocked; }
  LongWork::Function TakeLongWork() { return std::move(outcome_.work); }

  Client& client() { return *client_; }

 private:
  /// The client's requests in a batch that others may share.
  struct Part {
    Batch* batch = nullptr;
    size_t first = 0;
    size_t count = 0;
  };
  /// `ahead`: other clients' requests are executed before these.
  Part Parse(std::span<char> bytes, Batch& batch, bool ahead);
  Next ExecutePart(const Part& part, OutputBuffer& out);
  /// Has what was parsed and not executed parsed again.
  void ResetParser();
  bool TurnIsOver(const OutputBuffer& out) const;
  Next Execute(const Request& request, OutputBuffer& out, bool queued);
  void Park(const Request& request);
  void DropPrepared();
  /// Takes a ticket for the gate that refused, once that has gone on for too long.
  void Queue();
  void ApplyLimits();

  Executor& executor_;
  const std::shared_ptr<Client> client_;
  RequestParser parser_;
  bool parser_authenticated_ = true;
  int64_t parser_bulk_limit_ = 0;
  size_t consumed_ = 0;
  bool failed_ = false;

  // Where the turn under way ends.
  int requests_left_ = 0;
  size_t reply_end_ = 0;  ///< size of the output
  int64_t end_us_ = 0;

  Part begun_;  ///< by Begin

  // The request that waits, with arguments of its own.
  std::vector<std::string> parked_strings_;
  std::vector<std::string_view> parked_args_;
  Request parked_;
  Outcome outcome_;
  std::optional<int64_t> refused_since_us_;
  GateTickets tickets_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_CONVERSATION_H_
