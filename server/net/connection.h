#ifndef CLOAKROOM_SERVER_NET_CONNECTION_H_
#define CLOAKROOM_SERVER_NET_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "protocol/output_buffer.h"
#include "server/net/event_loop.h"
#include "server/net/read_buffer.h"
#include "server/session/session.h"

namespace cloakroom {

/// The socket of one client: moves bytes between it and a Session.
///
/// Reading. 10,000 idle connections must not own a buffer each. So a connection waits until there
/// is something to read, and reads it into the buffer of its thread; only a request that has not
/// come in whole is kept in a buffer of the connection's own. Waiting is also cheaper than a read
/// that Asio tries first, in vain as a rule, and by a slower system call.
///
/// Writing. Replies of a batch are gathered and sent at once; what the socket does not take waits
/// in a buffer of the connection. A client that does not read its replies is first no longer read
/// from, and then runs into client-output-buffer-limit.
///
/// Thread rule: its event loop; Push, PushMessage and Kill from any thread.
class Connection final : public ClientLink, public std::enable_shared_from_this<Connection> {
 public:
  using Executor = EventLoop::Context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, Executor>;
  using Timer = boost::asio::basic_waitable_timer<
      std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
  template <typename T>
  using Awaitable = boost::asio::awaitable<T, Executor>;

  Connection(EventLoop& loop, Socket socket, std::shared_ptr<Client> client);
  ~Connection() override;

  /// Begins to serve the client. Call once, on the loop.
  void Start();

  void Push(SharedBytes bytes) override;
  void PushMessage(SharedBytes bytes, std::shared_ptr<const Subscription> subscription) override;
  void Kill() override;

  /// Closes what has been idle or behind for too long.
  void CheckLimits(int64_t now_ms);

 private:
  /// Past so many unsent bytes of its own a client is read from no more until it reads.
  static constexpr size_t kMaxUnsent = 64 * 1024 * 1024;

  Awaitable<void> Serve();
  Awaitable<std::span<char>> Read();
  Awaitable<bool> Wait(Session::Next next);
  Awaitable<bool> WaitForWork();
  Awaitable<void> WaitUntil(std::chrono::steady_clock::time_point until);
  Awaitable<void> WriteUnsent();

  bool Process(std::span<char> bytes, Session::Next* next);
  /// Tries to send; keeps what the socket does not take. False when the connection is broken.
  bool Send(OutputBuffer& output);
  /// With appendfsync always, replies to what was written wait until it is on the disk.
  void HoldReplies();
  bool HoldsReplies() const;
  bool SendNow(OutputBuffer& output);
  void StartWriting();
  void PushHere(SharedBytes bytes);
  void Wake();
  std::function<void()> Waker();
  bool OverOutputLimit(int64_t now_ms);
  void NoteBuffers();
  void Close();

  EventLoop& loop_;
  Socket socket_;
  Timer wake_;
  const std::shared_ptr<Client> client_;
  Session session_;
  bool open_ = true;
  bool woken_ = false;               ///< since the last wait began
  OutputBuffer* replies_ = nullptr;  ///< while requests execute: pushes go between their replies
  bool writing_ = false;             ///< WriteUnsent runs
  int64_t durable_from_ = 0;         ///< offset in the log that what is unsent waits for
  int64_t over_soft_limit_since_ms_ = 0;
  ReadBuffer kept_;
  OutputBuffer unsent_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_CONNECTION_H_
