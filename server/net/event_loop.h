#ifndef CLOAKROOM_SERVER_NET_EVENT_LOOP_H_
#define CLOAKROOM_SERVER_NET_EVENT_LOOP_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/output_buffer.h"
#include "server/context/server.h"
#include "server/execution/executor.h"
#include "server/net/held_replies.h"
#include "server/net/loop_loads.h"
#include "server/net/poller.h"

namespace cloakroom {

class Connection;

/// One thread, its io_context and poller, and the connections that live on it. The read buffer
/// and the buffers for replies are the thread's: an idle connection owns neither.
///
/// Thread rule: its own thread, but for Start, Post-like use of context(), and Stop.
class EventLoop {
 public:
  using Context = boost::asio::io_context;
  static constexpr size_t kReadBytes = 64 * 1024;

  /// A connection that the loop loses is one less in `loads`.
  EventLoop(Server& server, LoopLoads& loads, int index);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Start();
  /// Closes all connections, after one more try to send what waits, and ends the thread.
  void Stop();
  void Join();

  Context& context() { return context_; }
  Poller& poller() { return poller_; }
  Executor& executor() { return executor_; }
  Server& server() { return server_; }
  size_t index() const { return index_; }
  bool OnThisThread() const { return std::this_thread::get_id() == thread_.get_id(); }

  std::array<char, kReadBytes>& read_buffer() { return *read_buffer_; }
  /// For the replies of a connection, until SendReplies.
  std::unique_ptr<OutputBuffer> TakeOutput(const std::shared_ptr<Connection>& connection);
  void GiveBack(std::unique_ptr<OutputBuffer> output);
  /// Has all connections that took an output send it. At the end of a round, when all who were
  /// ready have been served: clients that are woken one by one cost a wake-up each.
  void SendReplies();
  /// Gives the connection another turn, in the order of these calls, once those who are ready have
  /// been served.
  void LineUp(std::shared_ptr<Connection> connection);
  HeldReplies& held() { return held_; }

  /// The connection has been counted (LoopLoads::Choose, Enter).
  void Add(std::shared_ptr<Connection> connection);
  void Remove(const Connection& connection);

  /// The connection whose requests execute just now, by the innermost execution; null: none.
  Connection* executing() const { return executing_; }
  /// Returns what was so before.
  Connection* ExchangeExecuting(Connection* connection) {
    return std::exchange(executing_, connection);
  }

  /// Serves the other connections for a moment, from inside a script that takes long.
  void PollNested();

 private:
  /// Time-outs and soft output limits: of each connection once a second, of some at a time.
  void Tick();
  void CheckSome();
  /// One turn for each that is in line; some milliseconds at most, then new requests come first.
  void GiveTurns();
  void ScheduleTurns();

  Server& server_;
  LoopLoads& loads_;
  const size_t index_;
  Context context_;
  boost::asio::executor_work_guard<Context::executor_type> work_;
  Poller poller_;
  boost::asio::steady_timer tick_;
  Executor executor_;
  Connection* executing_ = nullptr;
  std::unique_ptr<std::array<char, kReadBytes>> read_buffer_;
  std::vector<std::unique_ptr<OutputBuffer>> outputs_;  ///< not in use, the last warmest
  std::vector<std::shared_ptr<Connection>> answered_;   ///< whose replies are to be sent
  HeldReplies held_;
  std::vector<std::shared_ptr<Connection>> connections_;
  size_t next_check_ = 0;                         ///< place in connections_
  std::deque<std::shared_ptr<Connection>> line_;  ///< who waits for a turn
  bool turns_scheduled_ = false;
  bool nested_ = false;  ///< PollNested gives the turns itself
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_EVENT_LOOP_H_
