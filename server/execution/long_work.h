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
#include "server/script/running_scripts.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// Work that a command does outside the event loop (Call::StartLongWork), with no stripe held. It
/// is a coroutine that a worker runs in steps. It keeps no worker while it waits for a gate or a
/// call, and between two steps it lets others who wait for a worker go first. If a script becomes
/// busy in a database that the work needs, the work ends with BUSY.
///
///   call.StartLongWork([&db = call.db()](LongWork& work) -> Task {
///     uint64_t cursor = 0;
///     do {
///       co_await work.Step(db, [&](Hold&) { cursor = db.Scan(cursor, 256, …); });
///     } while (cursor != 0);
///     work.reply.Ok();
///   });
///
/// Inside MULTI or a script it runs at once, to its end, under the caller's hold.
class LongWork : public std::enable_shared_from_this<LongWork> {
 public:
  using Function = std::function<Task(LongWork&)>;
  /// What a command has prepared outside the event loop; its second run puts it in place.
  using Prepared = std::shared_ptr<void>;

  /// Runs on `pool`; `done` is called on a worker, when the reply is written.
  LongWork(Function function, WorkerPool& pool, const RunningScripts& scripts, GateSlot slot,
           int resp, std::function<void()> done);
  /// Runs inside MULTI or a script, under `hold`, which closes the gates of all databases that a
  /// step may ask for, or holds the keys of the command.
  LongWork(Function function, ReplyWriter& reply_writer, Hold& hold);
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;

  /// Begins or continues on the pool; calls `done` at the end. REQUIRES: a shared_ptr owns it.
  void Start();
  /// Runs to the end on this thread. The calls that it waits for must come from other threads.
  void RunToEnd();

  /// co_await it: runs `step` under a hold with at least a pass through the database's gate. Keep
  /// the step short: scripts and other work wait for it.
  auto Step(Database& db, absl::FunctionRef<void(Hold&)> step) {
    return StepAwaiter{*this, {&db, step}};
  }

  /// co_await it: calls `start` with a function that ends the wait; it must be called once, from
  /// any thread. Not inside MULTI or a script, where it would hold up the event loop.
  using Resume = std::function<void()>;
  auto Until(std::function<void(Resume)> start) { return UntilAwaiter{*this, std::move(start)}; }

  /// Replies with an error, which is counted when the work has ended.
  void Error(std::string_view message);
  /// The first word of the error; empty if there is none. No status: the reply has the error, and
  /// the statistics, which alone ask, count errors by this word.
  const std::string& error_code() const { return error_code_; }
  /// The reply. On a pool: complete once `done` has been called.
  OutputBuffer& output() { return output_; }
  /// The offset that must be durable before the reply is sent, see ChangeJournal::Scope.
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

  /// Whether its turn on the worker is over and others wait.
  bool MustGiveWay() const;
  bool TryStep(const Wanted& wanted);
  void Post();
  /// Runs on a worker until the work is done or has to wait. As soon as it waits, another thread
  /// may continue or destroy it.
  void Advance();
  /// Continues the work when the gate opens. If a script is busy there, replies BUSY instead, and
  /// the work ends.
  void AwaitGate();
  Resume Resumer();

  /// How long it may keep a worker that others wait for.
  static constexpr std::chrono::microseconds kTurn{1000};

  Function function_;
  WorkerPool* const pool_ = nullptr;
  const RunningScripts* const scripts_ = nullptr;
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
  // Why it is suspended: a step that could not run yet, or a wait that is to begin.
  const Wanted* wanted_ = nullptr;
  std::function<void(Resume)> start_;
  Gate* refused_ = nullptr;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_LONG_WORK_H_
