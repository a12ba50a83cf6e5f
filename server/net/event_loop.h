#ifndef CLOAKROOM_SERVER_NET_EVENT_LOOP_H_
#define CLOAKROOM_SERVER_NET_EVENT_LOOP_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "protocol/output_buffer.h"
#include "server/context/server.h"
#include "server/execution/executor.h"
#include "server/net/held_replies.h"
#include "server/net/loop_loads.h"
#include "server/net/poller.h"
#include "server/net/round.h"
#include "server/net/timer_queue.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class Connection;

/// One thread, what it waits with, and the connections that live on it. Again and again it waits
/// until somebody is ready (Poller), serves all who are (Round), sends their replies, and runs what
/// was posted to it and the timers that are due. The buffers for requests and replies are the
/// thread's: an idle connection owns neither.
///
/// Asio has the coroutines of connections that wait; the loop runs it when something of it is to go
/// on, which whoever brings that about says (ServeAsio).
///
/// Thread rule: its own thread, but for Start, Stop, Join and Post.
class EventLoop {
 public:
  using Context = boost::asio::io_context;
  using Task = absl::AnyInvocable<void()>;

  /// A connection that the loop loses is one less in `loads`.
  EventLoop(Server& server, LoopLoads& loads, int index);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Start();
  /// Closes all connections, after one more try to send what waits, and ends the thread.
  void Stop();
  void Join();

  /// Runs `task` on the loop's thread, soon, in the order of these calls. Any thread.
  void Post(Task task);
  bool OnThisThread() const { return std::this_thread::get_id() == thread_id_; }

  /// For coroutines and what they wait for. The loop does not wait for anything in it.
  Context& context() { return context_; }
  /// Something in the context was begun or cancelled.
  void ServeAsio() { asio_is_due_ = true; }

  Poller& poller() { return poller_; }
  TimerQueue& timers() { return timers_; }
  Round& round() { return *round_; }
  Executor& executor() { return executor_; }
  Server& server() { return server_; }
  size_t index() const { return index_; }

  /// For the replies of a connection, until SendReplies.
  std::unique_ptr<OutputBuffer> TakeOutput(Connection& connection);
  void GiveBack(std::unique_ptr<OutputBuffer> output);
  /// Has all connections that took an output send it. When all who were ready have been served:
  /// clients that are woken one by one cost a wake-up each.
  void SendReplies();
  /// Gives the connection another turn, in the order of these calls, once those who are ready have
  /// been served.
  void LineUp(std::shared_ptr<Connection> connection) { line_.push_back(std::move(connection)); }
  HeldReplies& held() { return held_; }

  /// The connection has been counted (LoopLoads::Choose, Enter).
  void Add(std::shared_ptr<Connection> connection);
  /// It stays in memory until the loop is done with what it does just now.
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
  void Run();
  /// Waits, if it may, and serves all that there is.
  void ServeOnce(bool may_wait);
  bool HasWork() const;
  void RunTasks();
  void RunCoroutines();
  /// One turn for each that is in line; some milliseconds at most, then new requests come first.
  void GiveTurns();
  void FreeClosed();
  /// Time-outs and soft output limits: of each connection once a second, of some at a time.
  void Tick();
  void CheckSome();

  Server& server_;
  LoopLoads& loads_;
  const size_t index_;
  Poller poller_;
  TimerQueue timers_;
  Executor executor_;
  Context context_;  ///< has connections, which use all of the above
  boost::asio::executor_work_guard<Context::executor_type> work_;
  bool asio_is_due_ = false;
  TimerQueue::Timer tick_;
  Connection* executing_ = nullptr;
  std::unique_ptr<Round> round_;
  std::vector<std::unique_ptr<OutputBuffer>> outputs_;  ///< not in use, the last warmest
  std::vector<Connection*> answered_;                   ///< whose replies are to be sent
  HeldReplies held_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> closed_;  ///< to be freed
  size_t next_check_ = 0;                            ///< place in connections_
  std::deque<std::shared_ptr<Connection>> line_;     ///< who waits for a turn

  Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  std::deque<Task> tasks_;   ///< of those, what the loop runs next
  bool has_posted_ = false;  ///< the loop itself, which need not be woken
  bool stopped_ = false;
  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_EVENT_LOOP_H_
