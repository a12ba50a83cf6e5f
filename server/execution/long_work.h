#ifndef CLOAKROOM_SERVER_EXECUTION_LONG_WORK_H_
#define CLOAKROOM_SERVER_EXECUTION_LONG_WORK_H_

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/context/task.h"
#include "server/context/worker_pool.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// Work that a command does outside the event loop (Call::StartLongWork), with no stripe held. It
/// is a coroutine that a worker runs in steps. Where it has to wait, for a gate or for somebody's
/// call, the worker does other things meanwhile; and when others wait for a worker it lets them
/// have their turn between two steps. A script that becomes busy in a database that it wants ends
/// it with BUSY.
///
///   call.StartLongWork([&db = call.db()](LongWork& work) -> Task {
///     uint64_t cursor = 0;
///     do {
///       co_await work.Step(db, [&](Hold&) { cursor = db.Scan(cursor, 256, …); });
///     } while (cursor != 0);
///     work.reply.Ok();
///   });
///
/// Inside MULTI or a script it runs at once, to its end, under what the caller holds.
class LongWork : public std::enable_shared_from_this<LongWork> {
 public:
  using Function = std::function<Task(LongWork&)>;
  /// What a command has prepared outside the event loop, to be put in place by its second run.
  using Prepared = std::shared_ptr<void>;

  /// On `pool`; `done` is called on a worker, when the reply is written.
  LongWork(Function function, WorkerPool& pool, GateSlot slot, int resp,
           std::function<void()> done);
  /// Inside MULTI or a script: under `hold`, which closes the gates of all databases that a step
  /// may ask for, or holds the keys of its command.
  LongWork(Function function, ReplyWriter& reply_writer, Hold& hold);
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;

  /// Begins, or goes on; calls `done` at the end. For a pool; shared_from_this() must work.
  void Start();
  /// Runs to the end on this thread. The calls that it waits for come from other threads.
  void RunToEnd();

  /// co_await it: runs `step` under a hold that has a pass through the database's gate, or more.
  /// Keep it short: scripts wait for it, and other work.
  auto Step(Database& db, absl::FunctionRef<void(Hold&)> step) {
    return StepAwaiter{*this, {&db, step}};
  }

  /// co_await it: `start` is called with a function that ends the wait when it is called, once,
  /// from any thread. Not inside MULTI or a script, where it would hold up the event loop.
  using Resume = std::function<void()>;
  auto Until(std::function<void(Resume)> start) { return UntilAwaiter{*this, std::move(start)}; }

  /// Replies with an error, which is counted when the work is over.
  void Error(std::string_view message);
  /// The first word of the error; empty without one.
  const std::string& error_code() const { return error_code_; }
  /// What was replied. For a pool, after `done`.
  OutputBuffer& output() { return output_; }
  /// What must be durable before that is sent, see ChangeJournal::Scope.
  int64_t durable_from() const { return seen_.offset; }

  ReplyWriter& reply;
  Prepared prepared;

 private:
  struct Wanted {
    Database* db;
    absl::FunctionRef<void(Hold&)> step;
  };
  struct StepAwaiter {
    LongWork& work;
    Wanted wanted;
    bool await_ready() { return !work.MustGiveWay() && work.TryStep(wanted); }
    void await_suspend(std::coroutine_handle<>) { work.wanted_ = &wanted; }
    void await_resume() const {}
  };
  struct UntilAwaiter {
    LongWork& work;
    std::function<void(Resume)> start;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<>) { work.start_ = std::move(start); }
    void await_resume() const {}
  };

  /// Its turn on the worker is over, and others wait.
  bool MustGiveWay() const;
  bool TryStep(const Wanted& wanted);
  void Post();
  /// On a worker, until it is done or has to wait. Somebody else may go on with it, or destroy it,
  /// as soon as it waits.
  void Advance();
  /// Has it go on when the gate opens. If a script is busy there the client is told so instead, and
  /// the work has come to its end.
  void AwaitGate();
  Resume Resumer();

  /// So long it may keep a worker for which others wait.
  static constexpr std::chrono::microseconds kTurn{1000};

  Function function_;
  WorkerPool* const pool_ = nullptr;
  Hold* const outer_ = nullptr;
  const GateSlot slot_ = 0;
  std::function<void()> done_;
  OutputBuffer output_;
  ReplyWriter writer_;
  std::string error_code_;
  SeenOffset seen_;
  HoldContext holds_{.seen = &seen_};
  Task task_;
  std::chrono::steady_clock::time_point turn_ends_;
  // Why it is suspended: a step that could not be done yet, or a wait that is to begin.
  const Wanted* wanted_ = nullptr;
  std::function<void(Resume)> start_;
  Gate* refused_ = nullptr;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_LONG_WORK_H_
