#ifndef CLOAKROOM_SERVER_NET_CONNECTION_H_
#define CLOAKROOM_SERVER_NET_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "protocol/output_buffer.h"
#include "server/net/conversation.h"
#include "server/net/event_loop.h"
#include "server/net/held_replies.h"
#include "server/net/output_limit_watch.h"
#include "server/net/poller.h"
#include "server/net/push_queue.h"
#include "server/net/read_buffer.h"
#include "server/net/socket.h"

namespace cloakroom {

/// The socket of one client: moves bytes between it and a Conversation.
///
/// Reading. 10,000 idle connections must not own a buffer each. So a connection reads when there is
/// something to read, into the buffer of its thread; only a request that has not come in whole, or
/// requests beyond what one turn may take (Conversation::Turn), are kept in a buffer of the
/// connection's own. Those are executed in turns, between which the loop serves others; nothing is
/// read meanwhile.
///
/// Writing. Replies of a batch are gathered and sent at once, when its loop has served all who were
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

  Connection(EventLoop& loop, Socket socket, std::shared_ptr<Client> client);
  ~Connection() override;

  /// Begins to serve the client. Call once, on the loop.
  void Start();

  void Push(Pushed pushed) override;
  void TicketsAreKnown() override;
  void Kill() override;

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

  void OnReady(bool readable, bool writable) override;
  /// As in Redis, what waits for keys or the end of a pause is not executed when its client is
  /// gone, or sends no more.
  void OnHangUp() override { Close(); }
  void Receive();
  /// After a turn: what `next` says.
  void Proceed(Conversation::Next next);
  /// For another turn, behind the others.
  void LineUp();
  void Flush();
  /// Tells the poller what the connection is ready for.
  void Watch();

  /// Goes on until the connection can be read from again, or is closed.
  Awaitable<void> Linger(Conversation::Next next);
  Awaitable<bool> Wait(Conversation::Next next);
  Awaitable<bool> WaitForWork(Conversation::Next* next);
  Awaitable<void> WaitForPause();
  Awaitable<bool> WaitForKeys(Conversation::Next* next);
  Awaitable<void> WaitUntil(std::chrono::steady_clock::time_point until);

  bool Process(std::span<char> bytes, Conversation::Next* next);
  /// Calls `execute` with a buffer for its replies, which stay there until SendReplies.
  template <typename Execute>
  void Answer(const Execute& execute);
  /// Tries to send; keeps what the socket does not take. False when the connection is broken.
  bool Send(OutputBuffer& output);
  /// With appendfsync always, what shows a change waits until that is on the disk.
  void HoldReplies(int64_t offset);
  bool HoldsReplies() const;
  bool SendNow(OutputBuffer& output);
  void PushHere(SharedBytes bytes);
  bool InMidstOfReply() const;
  /// Sends what other threads pushed, at the end of the round.
  void HandOn();
  void PostHandOn();
  /// Begins a wait, and returns what ends it, from any thread. One that comes late, from a wait
  /// that has ended otherwise, ends no other.
  std::function<void()> Waker();
  void Wake(uint64_t wait);
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
  Socket socket_;
  Timer wake_;
  const std::shared_ptr<Client> client_;
  Conversation conversation_;
  bool open_ = true;
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
