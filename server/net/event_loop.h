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
#include "server/net/running_loops.h"
#include "server/net/timer_queue.h"
#include "storage/base/mutex.h"

namespace cloakroom {

class Connection;

/// One thread, its poller, and its connections. In each round it waits until some connection is
/// ready (Poller), serves all that are (Round), sends their replies, and runs posted tasks and due
/// timers. The thread owns the buffers for requests and replies: an idle connection owns neither.
///
/// Asio runs the coroutines of connections that wait. The loop serves Asio only when asked: whoever
/// makes a coroutine ready calls ServeAsio.
///
/// Thread rule: its own thread, except Start, Stop, Join, Post and TellOfPush.
class EventLoop {
 public:
  using Context = boost::asio::io_context;
  using Task = absl::AnyInvocable<void()>;

  /// The loop takes each connection that it loses off `loads`, and enters itself in `loops`.
  EventLoop(Server& server, LoopLoads& loads, RunningLoops& loops, int index);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void Start();
  /// Tries once more to send what waits, closes all connections, and ends the thread.
  void Stop();
  void Join();

  /// Runs `task` on the loop's thread, soon, in the order of these calls. Any thread.
  void Post(Task task);
  bool OnThisThread() const { return std::this_thread::get_id() == thread_id_; }

  /// For coroutines and what they wait for. The loop does not wait for anything in it.
  Context& context() { return context_; }
  /// Call it when something in the context was begun or cancelled.
  void ServeAsio() { asio_is_due_ = true; }

  Poller& poller() { return poller_; }
  TimerQueue& timers() { return timers_; }
  Round& round() { return *round_; }
  Executor& executor() { return executor_; }
  Server& server() { return server_; }
  size_t index() const { return index_; }

  /// A buffer for the replies of a connection, until SendReplies.
  std::unique_ptr<OutputBuffer> TakeOutput(Connection& connection);
  void GiveBack(std::unique_ptr<OutputBuffer> output);
  /// Has all connections that took an output send it. Called when all clients that were ready have
  /// been served: clients that are woken one by one cost a wake-up each.
  void SendReplies();
  /// Gives the connection another turn, in the order of these calls, after all that are ready have
  /// been served.
  void LineUp(std::shared_ptr<Connection> connection) { line_.push_back(std::move(connection)); }
  HeldReplies& held() { return held_; }

  /// Call it when something was pushed to a connection of this loop: the loop has it hand on its
  /// pushes. If another loop has pushed, it says so at the end of its round, once for all
  /// connections, so that all pushes of the round leave together. Any thread.
  void TellOfPush(std::weak_ptr<Connection> connection);

  /// REQUIRES: the connection was counted (LoopLoads::Choose, Enter).
  void Add(std::shared_ptr<Connection> connection);
  /// The connection stays in memory until the loop has finished what it is doing.
  void Remove(const Connection& connection);

  /// The connection whose requests are executing now, in the innermost execution; null: none.
  Connection* executing() const { return executing_; }
  /// Returns the previous one.
  Connection* ExchangeExecuting(Connection* connection) {
    return std::exchange(executing_, connection);
  }

  /// Serves the other connections for a moment, from inside a slow script.
  void PollNested();

 private:
  struct PushedTo {
    EventLoop* loop = nullptr;
    std::vector<std::weak_ptr<Connection>> connections;
  };

  void Run();
  /// Waits, if it may, and serves everything that is ready.
  void ServeOnce(bool may_wait);
  bool HasWork() const;
  /// Tells the other loops to which of their connections this round has pushed.
  void TellOthers();
  /// Has the connections hand on what was pushed to them.
  void HandOn(const std::vector<std::weak_ptr<Connection>>& connections);
  void RunTasks();
  void RunCoroutines();
  /// Closes the largest clients when maxmemory-clients is exceeded.
  void EvictClients();
  /// Gives each connection in line a turn. Stops after some milliseconds: then new requests come
  /// first.
  void GiveTurns();
  void FreeClosed();
  /// Checks time-outs and soft output limits: each connection once a second, some at a time.
  void Tick();
  void CheckSome();

  Server& server_;
  LoopLoads& loads_;
  RunningLoops& loops_;
  const size_t index_;
  Poller poller_;
  TimerQueue timers_;
  Executor executor_;
  Context context_;  ///< its coroutines own connections, which use all of the above
  boost::asio::executor_work_guard<Context::executor_type> work_;
  bool asio_is_due_ = false;
  TimerQueue::Timer tick_;
  Connection* executing_ = nullptr;
  std::unique_ptr<Round> round_;
  std::vector<std::unique_ptr<OutputBuffer>> outputs_;  ///< not in use; the last was used last
  std::vector<Connection*> answered_;                   ///< their replies are to be sent
  /// In this round, this loop's clients have pushed to these connections of other loops.
  std::vector<PushedTo> pushed_to_;
  HeldReplies held_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> closed_;  ///< to be freed
  size_t next_check_ = 0;                            ///< place in connections_
  std::deque<std::shared_ptr<Connection>> line_;     ///< connections that wait for a turn

  Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  std::deque<Task> tasks_;   ///< taken from posted_; the loop runs them next
  bool has_posted_ = false;  ///< the loop posted to itself, and need not be woken
  bool stopped_ = false;
  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_EVENT_LOOP_H_
