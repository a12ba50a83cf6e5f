#ifndef CLOAKROOM_SERVER_NET_CONNECTION_H_
#define CLOAKROOM_SERVER_NET_CONNECTION_H_

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
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
/// Reading. A read waits inside Asio, and 10,000 idle connections must not own a buffer each. So
/// the buffer is chosen at the moment in which the socket is read (ReadTarget): the thread's, since
/// Asio then hands the bytes over at once. It does not when it finds bytes already as the read is
/// started, or when a write waits too: the handler is queued then, and others run before it. In
/// these cases the few bytes of the connection's own are read into, the sip, and the rest is
/// fetched afterwards.
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

  /// A buffer sequence for Asio that asks the connection where to read at each attempt.
  class ReadTarget {
   public:
    explicit ReadTarget(Connection* connection) : connection_(connection) {}
    using value_type = boost::asio::mutable_buffer;
    using const_iterator = const boost::asio::mutable_buffer*;
    const_iterator begin() const {
      buffer_ = connection_->ChooseBuffer();
      return &buffer_;
    }
    const_iterator end() const { return &buffer_ + 1; }

   private:
    Connection* connection_;
    mutable boost::asio::mutable_buffer buffer_;
  };
  boost::asio::mutable_buffer ChooseBuffer();

  Awaitable<void> Serve();
  Awaitable<std::span<char>> Read();
  Awaitable<bool> Wait(Session::Next next);
  Awaitable<bool> WaitForWork();
  Awaitable<void> WaitUntil(std::chrono::steady_clock::time_point until);
  Awaitable<void> WriteUnsent();

  std::span<char> FinishSip();
  void Keep(std::span<char> rest);
  bool Process(std::span<char> bytes, Session::Next* next);
  /// Tries to send; keeps what the socket does not take. False when the connection is broken.
  bool Send(OutputBuffer& output);
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
  bool woken_ = false;  ///< since the last wait began
  bool starting_read_ = false;
  bool sipped_ = false;              ///< the last attempt to read was into the sip
  OutputBuffer* replies_ = nullptr;  ///< while requests execute: pushes go between their replies
  bool writing_ = false;             ///< WriteUnsent runs
  int64_t over_soft_limit_since_ms_ = 0;
  std::array<char, 512> sip_;
  ReadBuffer kept_;
  OutputBuffer unsent_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_CONNECTION_H_
