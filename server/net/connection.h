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
#include "server/net/stream.h"
#include "server/net/timer_queue.h"

namespace cloakroom {

/// The stream of one client: moves bytes between it and a Conversation.
///
/// Reading. 10,000 idle connections must not own a buffer each. So a connection reads when there is
/// something to read, together with all others that are ready (Round), into a buffer of its
/// thread's; only a request that has not come in whole, or requests beyond what one turn may take
/// (Conversation::Turn), are kept in a buffer of the connection's own. Those are executed in turns,
/// between which the loop serves others; nothing is read meanwhile. The poller tells each change
/// once, so the connection remembers that there is something left to read (readable_).
///
/// Writing. Replies of a round are gathered and sent at once, when its loop has served all who were
/// ready; what the socket does not take waits in a buffer of the connection. Of a client that does
/// not read its replies nothing more is executed, or read, until it does, unless it runs into
/// client-output-buffer-limit: then, as in Redis, it is closed, and what waits is not sent.
///
/// Waiting, for a gate, a worker, the end of a pause, is a coroutine that begins when it is needed:
/// from a request to its reply, the common way is a function call.
///
/// Thread rule: its event loop; what ClientLink has, from any thread.
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

  Connection(EventLoop& loop, std::unique_ptr<Stream> stream, std::shared_ptr<Client> client);
  ~Connection() override;

  /// Begins to serve the client. Call once, on the loop.
  void Start();

  void Push(Pushed pushed) override;
  void OffsetsAreKnown() override;
  void Kill() override;

  bool open() const { return open_; }

  // Called by the loop's round, in this order.
  /// Takes what has come, as far as there is room; but the rest of a request that is under way goes
  /// behind what is kept of it. Returns what is to be executed; empty: nothing.
  std::span<char> Receive(std::span<char> room);
  /// Parses ahead what Receive returned, see Conversation.
  void Begin(std::span<char> bytes, Batch& batch);
  void ParseAgain() { conversation_.ParseAgain(); }
  /// Executes what Receive returned, and keeps the rest of it.
  void Execute(std::span<char> bytes);

  /// Executes more of what was kept. Called by the loop, for whom LineUp has put there.
  void TakeTurn();
  /// Sends what Answer left. False while requests execute: a script lets the loop serve others.
  bool SendReplies();
  void SendHeld() override;

  /// Closes what has been idle or behind for too long.
  void CheckLimits(int64_t now_ms);

 private:
  friend class EventLoop;  // place_

  /// Replies of one batch that do not wait for the other clients' of the round.
  static constexpr size_t kManyReplies = 64 * 1024;
  /// Past so many unsent bytes of its own nothing more is read of a client, or executed, until it
  /// reads; past so many in all too: what is sent by reference may be all that keeps a value.
  static constexpr size_t kMaxUnsent = 64 * 1024 * 1024;
  static constexpr size_t kMaxUnsentShared = 1024 * 1024 * 1024;
  /// What a round may leave to be sent before it counts against client-output-buffer-limit, whose
  /// counting begins behind such a buffer in Redis, too.
  static constexpr size_t kUncountedReplies = 16 * 1024;

  void OnReady(const Poller::Ready& ready) override;
  /// Whether what comes may be read now.
  bool MayRead() const {
    return open_ && !received_ && !executing_ && !lingering_ && !unfinished_ && !Backlogged();
  }
  /// Has the loop's next round read, if there is something and it may. To be called whenever
  /// either has changed.
  void ReadOn();
  /// After a turn: what `next` says.
  void Proceed(Conversation::Next next);
  /// For another turn, behind the others.
  void LineUp();
  void Flush();
  /// Tells the poller whether the connection waits for room to write.
  void WatchRoom();

  /// As in Redis, what waits for keys or the end of a pause is not executed when its client is
  /// gone, or sends no more. From here on, that closes the connection at once.
  void HearHangUp();

  /// Goes on until the connection can be read from again, or is closed.
  Awaitable<void> Linger(Conversation::Next next);
  Awaitable<bool> Wait(Conversation::Next next);
  Awaitable<bool> WaitForLongWork(Conversation::Next* next);
  Awaitable<void> WaitForPause();
  Awaitable<bool> WaitForKeys(Conversation::Next* next);
  Awaitable<void> WaitUntil(std::chrono::steady_clock::time_point until);

  bool Process(std::span<char> bytes, Conversation::Next* next);
  /// Calls `execution` with a buffer for its replies, which stay there until SendReplies.
  template <typename Execution>
  void Answer(const Execution& execution);
  /// Tries to send; keeps what the socket does not take. False when the connection is broken.
  bool Send(OutputBuffer& output);
  /// With appendfsync always, what shows a change waits until that is on the disk.
  void HoldReplies(int64_t offset);
  bool HoldsReplies() const;
  bool SendNow(OutputBuffer& output);
  /// One Stream::Send of at most `most` bytes.
  std::optional<size_t> SendSome(const OutputBuffer& output, size_t most);
  void AppendPush(SharedBytes bytes);
  bool InMidstOfReply() const;
  /// Sends what other threads pushed, at the end of the round.
  void HandOn();
  void PostHandOn();
  /// Begins a wait, and returns what ends it, from any thread. One that comes late, from a wait
  /// that has ended otherwise, ends no other.
  std::function<void()> Waker();
  void Wake(uint64_t wait);
  /// Has Linger look whether what it waits for has come.
  void EndWait();
  const OutputLimit& output_limit() const;
  /// What waits for the client, on its way from other threads too, but for replies_. Any thread.
  int64_t waiting_bytes() const { return client_->output_bytes + client_->pushed_bytes; }
  /// What counts of replies_.
  size_t counted_replies() const;
  /// What the conversation may do at once, which is less where a limit is near.
  Conversation::Turn Turn() const;
  /// Whether what waits for the client, and `more` bytes, are past client-output-buffer-limit. Any
  /// thread.
  bool OverOutputLimit(size_t more = 0);
  /// Drops what waits between threads, and has the loop close the connection. Any thread.
  void CloseOverLimit();
  void NoteOverLimit();
  bool Backlogged() const {
    return unsent_.owned_bytes() > kMaxUnsent || unsent_.size() > kMaxUnsentShared;
  }
  void NoteBuffers();
  void Close();

  EventLoop& loop_;
  const std::unique_ptr<Stream> stream_;
  Timer wake_;  ///< never due: it is cancelled when the wait is over
  TimerQueue::Timer wait_ends_;
  const std::shared_ptr<Client> client_;
  Conversation conversation_;
  bool open_ = true;
  bool readable_ = false;       ///< there may be something to read
  bool hung_up_ = false;        ///< the end is among it
  bool in_round_ = false;       ///< the loop's next round reads
  bool received_ = false;       ///< Execute is to come
  uint64_t wait_ = 0;           ///< the number of the last wait
  bool woken_ = false;          ///< since it began
  bool lingering_ = false;      ///< Linger runs, and nothing is read
  bool hears_hang_up_ = false;  ///< lingers for what a client that is gone must not get
  bool executing_ = false;
  bool pushed_meanwhile_ = false;          ///< HandOn is due when it executes no more
  bool unfinished_ = false;                ///< kept_ may hold whole requests
  bool in_line_ = false;                   ///< for a turn
  size_t place_ = 0;                       ///< among the loop's connections
  std::unique_ptr<OutputBuffer> replies_;  ///< until they are sent: pushes go between them
  int64_t durable_from_ = 0;               ///< offset in the log that what is unsent waits for
  OutputLimitWatch limit_watch_;
  PushQueue pushes_;
  ReadBuffer kept_;
  OutputBuffer unsent_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_CONNECTION_H_
