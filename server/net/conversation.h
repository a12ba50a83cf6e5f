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

/// The conversation with one client, without its socket: takes bytes, gives replies, and says what
/// to do next. The connection does that and comes back.
///
/// Thread rule: the event loop of the connection.
class Conversation {
 public:
  enum class Next {
    kRead,      ///< give me more bytes
    kTurn,      ///< its turn is over: call Consume with what was kept after the others' turns
    kGate,      ///< call Resume when gate() opens, see wish()
    kSoon,      ///< call Resume in soon()
    kPause,     ///< call Resume at pause_until_ms(), or when the pause ends
    kBlocked,   ///< call FinishBlocked when blocked() has been settled
    kLongWork,  ///< run TakeLongWork() on a worker thread, then call FinishLongWork
    kClose,     ///< send the replies, then close
    kHandOver,  ///< send the replies, then give the socket away (Client::hand_over)
  };

  /// What one Consume may do before the other clients have their turn. The limits are checked
  /// between requests, so a turn may exceed them by one request; a transaction or a script is one
  /// request.
  struct Turn {
    /// A multiple of the number of requests that are parsed and looked up together.
    int requests = 128;
    /// What the socket usually takes in one call.
    size_t reply_bytes = 256 * 1024;
    int64_t time_us = 1000;
  };

  Conversation(Executor& executor, std::shared_ptr<Client> client);
  /// Forgets MULTI and WATCH.
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// Parses the first requests in `bytes` into `batch`, ahead of Consume, so that those of several
  /// clients can be prepared together (Executor::Prepare). Leaves to Consume what must not be
  /// parsed before its turn. Afterwards call either Consume with the same bytes, or ParseAgain.
  void Begin(std::span<char> bytes, Batch& batch);
  /// Has Consume parse again what Begin has parsed.
  void ParseAgain();

  /// Executes the requests in `bytes`, which begin where the last call left off: the connection
  /// drops consumed() bytes from the front and keeps the rest. Appends the replies to `out`.
  /// Returns kTurn when `turn` is used up and bytes are left, whole requests or not. The turn
  /// begins when the executor last read the clock (BeginBatch).
  Next Consume(std::span<char> bytes, OutputBuffer& out, const Turn& turn);
  size_t consumed() const { return consumed_; }
  /// After kRead: the bytes that the incomplete argument still needs; 0 if that is not known.
  size_t bytes_wanted() const { return parser_.bytes_wanted(); }

  /// Tries the parked request again. Afterwards, or after FinishLongWork, call Consume with what
  /// was kept, also after kRead.
  Next Resume(OutputBuffer& out);
  Next FinishLongWork(LongWork& work, OutputBuffer& out);
  Next FinishBlocked(OutputBuffer& out);
  /// Call it when the client is gone. Nothing is executed for it any more.
  void Abandon();

  Gate* gate() const { return outcome_.gate; }
  Gate::Wish wish() const {
    Gate::Wish wish = outcome_.wish;
    wish.queued = queued();
    return wish;
  }
  /// Whether the parked request has a ticket.
  bool queued() const { return tickets_.any(); }
  std::chrono::microseconds soon() const { return outcome_.soon; }
  int64_t pause_until_ms() const { return outcome_.until_ms; }
  const std::shared_ptr<BlockedRequest>& blocked() const { return outcome_.blocked; }
  LongWork::Function TakeLongWork() { return std::move(outcome_.work); }
  /// A request has read its data, and its reply is still being written.
  bool works() const { return outcome_.kind == Outcome::Kind::kLongWork; }

  Client& client() { return *client_; }

 private:
  /// The client's requests in a batch, which other clients may share.
  struct Part {
    Batch* batch = nullptr;
    size_t first = 0;
    size_t count = 0;
  };
  /// `ahead`: other clients' requests are executed before these.
  Part Parse(std::span<char> bytes, Batch& batch, bool ahead);
  Next ExecutePart(const Part& part, OutputBuffer& out);
  /// Has requests parsed again that were parsed but not executed.
  void ResetParser();
  bool TurnIsOver(const OutputBuffer& out) const;
  Next Execute(const Request& request, OutputBuffer& out, bool queued);
  Next Leave() const;
  void Park(const Request& request);
  /// The parked request has its reply.
  void Unpark();
  void DropPrepared();
  /// Takes a ticket for the gate, once it has refused for too long.
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

  // The parked request, with its own copy of the arguments: many thousands may be parked for long.
  std::string parked_bytes_;
  std::vector<std::string_view> parked_args_;
  Request parked_;
  Outcome outcome_;
  std::optional<int64_t> refused_since_us_;
  GateTickets tickets_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_CONVERSATION_H_
