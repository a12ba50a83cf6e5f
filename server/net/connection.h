#ifndef CLOAKROOM_SERVER_NET_CONNECTION_H_
#define CLOAKROOM_SERVER_NET_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "protocol/output_buffer.h"
#include "server/net/conversation.h"
#include "server/net/event_loop.h"
#include "server/net/held_replies.h"
#include "server/net/output_limit_watch.h"
#include "server/net/poller.h"
#include "server/net/push_queue.h"
#include "server/net/read_buffer.h"
#include "server/net/timer_queue.h"
#include "server/session/socket_stream.h"

namespace cloakroom {

/// The stream of one client: moves bytes between it and a Conversation.
///
/// Reading. 10,000 idle connections must not own a buffer each. So a connection that has something
/// to read reads together with all others that are ready (Round), into a buffer of its thread. Its
/// own buffer keeps only an incomplete request, and requests beyond what one turn may take
/// (Conversation::Turn). Those are executed in turns, between which the loop serves others; nothing
/// is read meanwhile. The poller reports each change once, so the connection remembers that there
/// is something left to read (readable_).
///
/// Writing (connection_output.cc). The replies of a round are gathered, and sent when the loop has
/// served all clients that were ready; what the socket does not take waits in a buffer of the
/// connection. While a client does not read its replies, its requests are neither read nor
/// executed. If it exceeds client-output-buffer-limit, it is closed, as in Redis, and what waits is
/// not sent.
///
/// Waiting. A coroutine waits for a gate, a worker or the end of a pause. It starts only when it is
/// needed: the common way from a request to its reply is a function call. A blocked request needs
/// none, because many thousands may be blocked for long: a timer, or whoever settles it, calls.
///
/// Thread rule: its event loop; ClientLink's functions from any thread.
class Connection final : public ClientLink,
                         public Poller::Watcher,
                         public HeldReplies::Holder,
                         public std::enable_shared_from_this<Connection> {
 public:
  using Executor = EventLoop::Context::executor_type;
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  template <typename T>
  using Awaitable = boost::asio::awaitable<T, Executor>;

  Connection(EventLoop& loop, std::unique_ptr<SocketStream> stream, std::shared_ptr<Client> client);
  ~Connection() override;

  /// Begins to serve the client. Call once, on the loop.
  void Start();

  void Push(Pushed pushed) override;
  void OffsetsAreKnown() override;
  void Kill() override;

  bool open() const { return open_; }

  // Called by the loop's round, in this order.
  /// Receives what has come, as far as it fits into `room`; but the rest of an incomplete request
  /// goes behind the kept part of it. Returns the bytes to execute; empty: none.
  std::span<char> Receive(std::span<char> room);
  /// Parses ahead what Receive returned; see Conversation.
  void Begin(std::span<char> bytes, Batch& batch);
  void ParseAgain() { conversation_.ParseAgain(); }
  /// Executes what Receive returned, and keeps the rest of it.
  void Execute(std::span<char> bytes);

  /// Executes more of what was kept. The loop calls it for a connection that lined up.
  void TakeTurn();
  /// Sends what Answer left. False while requests execute, as when a script lets the loop serve
  /// others.
  bool SendReplies();
  void SendHeld() override;
  /// Puts what was pushed from other threads among the replies of this round.
  void HandOn();

  /// Closes the connection if it has been idle, or over a soft limit, for too long.
  void CheckLimits(int64_t now_ms);

 private:
  friend class EventLoop;  // place_

  /// Replies of one batch, in bytes, that are sent before the round ends.
  static constexpr size_t kManyReplies = 64 * 1024;
  /// A client that has more unsent bytes than this is neither read from nor executed until it
  /// reads. The first limit counts bytes that the connection owns; the second counts those sent by
  /// reference as well, which may be all that keeps a value in memory.
  static constexpr size_t kMaxUnsent = 64 * 1024 * 1024;
  static constexpr size_t kMaxUnsentShared = 1024 * 1024 * 1024;
  /// The bytes of a round's replies that do not count against client-output-buffer-limit: Redis
  /// does not count a buffer of this size either.
  static constexpr size_t kUncountedReplies = 16 * 1024;

  void OnReady(const Poller::Ready& ready) override;
  /// Whether the connection may read now.
  bool MayRead() const {
    return open_ && !received_ && !executing_ && !lingering_ && !unfinished_ && !Backlogged();
  }
  /// Has the loop's next round read, if there is something to read and the connection may. Call it
  /// whenever either has changed.
  void ReadOn();
  /// After a turn, does what `next` says.
  void Proceed(Conversation::Next next);
  /// Asks for another turn, behind the others.
  void LineUp();
  void Flush();
  /// Tells the poller whether the connection waits for room to write.
  void WatchRoom();

  /// From now on, closes the connection at once when the client is gone or sends no more. As in
  /// Redis, a request that waits for keys or the end of a pause is not executed then.
  void HearHangUp();

  /// Runs until the connection can be read from again, or is closed.
  Awaitable<void> Linger(Conversation::Next next);
  Awaitable<bool> Wait(Conversation::Next next);
  Awaitable<bool> WaitForLongWork(Conversation::Next* next);
  Awaitable<void> WaitForPause();
  /// The request is blocked: waits for its end without a coroutine.
  void BeginBlocked();
  /// Something has happened to it: it was settled, its time has come, or the connection is closed.
  void CheckBlocked();
  /// Goes on with what came together with a request that was parked.
  Conversation::Next ProcessKept();
  Awaitable<void> WaitUntil(std::chrono::steady_clock::time_point until);

  bool Process(std::span<char> bytes, Conversation::Next* next);
  /// Calls `execution` with a buffer for replies, which stay there until SendReplies.
  template <typename Execution>
  void Answer(const Execution& execution);
  /// Tries to send; keeps what the socket does not take. False when the connection is broken.
  bool Send(OutputBuffer& output);
  /// With appendfsync always, replies that show a change wait until the log is durable up to
  /// `offset`.
  void HoldReplies(int64_t offset);
  bool HoldsReplies() const;
  bool SendNow(OutputBuffer& output);
  /// One SocketStream::Send of at most `most` bytes.
  std::optional<size_t> SendSome(const OutputBuffer& output, size_t most);
  void AppendPush(SharedBytes bytes);
  bool InMidstOfReply() const;
  /// Begins a wait, and returns a function that ends it, from any thread. If that wait has ended
  /// otherwise, the function does nothing.
  std::function<void()> Waker();
  void Wake(uint64_t wait);
  /// Has Linger, or CheckBlocked, check whether what it waits for has come.
  void EndWait();
  const OutputLimit& output_limit() const;
  /// The bytes that wait for the client, including pushes on their way from other threads, but
  /// without replies_. Any thread.
  int64_t waiting_bytes() const { return client_->output_bytes + client_->pushed_bytes; }
  /// The bytes of replies_ that count against the limit.
  size_t counted_replies() const;
  /// What the conversation may do in one turn; less when an output limit is near.
  Conversation::Turn Turn() const;
  /// Whether the bytes that wait for the client, plus `more`, exceed client-output-buffer-limit.
  /// Any thread.
  bool OverOutputLimit(size_t more = 0);
  /// Drops what waits between threads, and has the loop close the connection. Any thread.
  void CloseOverLimit();
  void NoteOverLimit();
  bool StaysIdle();
  bool Backlogged() const {
    return unsent_.owned_bytes() > kMaxUnsent || unsent_.size() > kMaxUnsentShared;
  }
  void NoteBuffers();
  void Close();
  /// Gives the socket to whom the last command named, if all replies are sent.
  void HandOver();

  EventLoop& loop_;
  std::unique_ptr<SocketStream> stream_;  ///< null when it was handed over
  Timer wake_;                            ///< never due: it is cancelled when the wait is over
  TimerQueue::Timer wait_ends_;
  const std::shared_ptr<Client> client_;
  Conversation conversation_;
  bool open_ = true;
  bool readable_ = false;       ///< there may be something to read
  bool hung_up_ = false;        ///< the client is gone or sends no more
  bool in_round_ = false;       ///< the loop's next round reads
  bool received_ = false;       ///< Execute is to come
  uint64_t wait_ = 0;           ///< the number of the last wait
  bool woken_ = false;          ///< since that wait began
  bool lingering_ = false;      ///< Linger runs, or blocked_, and nothing is read
  bool blocked_ = false;        ///< by a request that waits for its keys or its session
  bool hears_hang_up_ = false;  ///< a hang-up closes the connection at once
  bool executing_ = false;
  bool pushed_meanwhile_ = false;          ///< HandOn is due when the execution ends
  bool unfinished_ = false;                ///< kept_ may hold whole requests
  bool in_line_ = false;                   ///< for a turn
  size_t place_ = 0;                       ///< among the loop's connections
  std::unique_ptr<OutputBuffer> replies_;  ///< until they are sent; pushes go between them
  int64_t durable_from_ = 0;               ///< log offset that the unsent replies wait for
  OutputLimitWatch limit_watch_;
  PushQueue pushes_;
  ReadBuffer kept_;
  OutputBuffer unsent_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_CONNECTION_H_
