#ifndef CLOAKROOM_SERVER_PERSISTENCE_BACKGROUND_WORK_H_
#define CLOAKROOM_SERVER_PERSISTENCE_BACKGROUND_WORK_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/persistence/job_runner.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The slot for work in the background, a snapshot or a rewrite of the log: one thing at a time, as
/// Redis has one child at a time. The saver and the log keeper begin their work here. Who saves or
/// loads while everybody waits takes the slot over (TakeOver), and what is under way is given up.
///
/// Thread rule: any thread.
class BackgroundWork {
 public:
  enum class Kind : uint8_t { kNone, kSnapshot, kRewrite };
  using Job = std::function<absl::Status()>;
  /// Told, on the job's thread, how the job ended, when the slot is free again.
  using Done = std::function<void(const absl::Status&)>;

  /// Both outlive it; the runner's jobs end before it goes.
  BackgroundWork(const Clock& clock, JobRunner& runner) : clock_(clock), runner_(runner) {}
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  /// What is under way.
  Kind under_way() const;
  /// Has the job run as work of this kind, and answers kNone; or answers what is under way, and
  /// begins nothing. A job asks given_up() now and then, and ends soon when it is.
  Kind Begin(Kind kind, Job job, Done done);
  /// What is under way is not to be finished: somebody takes over, or saving is forgone.
  bool given_up() const { return saving_forgone() || takers_.load() > 0; }

  /// From now on nothing is saved any more, by nobody: no snapshot, no base of the log. What is in
  /// the keyspace is a part, or what a script left half done.
  void ForgoSaving() { saving_forgone_ = true; }
  bool saving_forgone() const { return saving_forgone_.load(); }

  /// Calls `act` while nothing is under way, and keeps all else from beginning meanwhile. False,
  /// and it is not called: something is.
  bool WhileIdle(absl::FunctionRef<void()> act);
  /// Waits until nothing is under way.
  void AwaitIdle();

  /// Gives up what is under way, from its construction on, and then has the slot until it goes. To
  /// others that looks like a snapshot under way.
  ///
  /// Thread rule: one thread at a time for each.
  class TakeOver {
   public:
    explicit TakeOver(BackgroundWork& work) : work_(work) { ++work_.takers_; }
    ~TakeOver();
    TakeOver(const TakeOver&) = delete;
    TakeOver& operator=(const TakeOver&) = delete;

    /// Whether it has the slot. Does not wait: what is under way may take a moment to end.
    bool Try();
    /// Waits until it has.
    void Wait();

   private:
    void Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(work_.mutex_);

    BackgroundWork& work_;
    bool has_slot_ = false;
  };

  /// For INFO. Between work that was given up and whoever takes over, a snapshot is under way.
  struct Progress {
    Kind kind = Kind::kNone;
    int64_t seconds = 0;
  };
  Progress progress() const;

 private:
  void SetUnderWay(Kind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End();

  const Clock& clock_;
  JobRunner& runner_;
  std::atomic<bool> saving_forgone_ = false;
  std::atomic<int> takers_ = 0;  ///< who want the slot and do not have it
  mutable Mutex mutex_;
  CondVar ended_;
  Kind under_way_ ABSL_GUARDED_BY(mutex_) = Kind::kNone;
  int64_t started_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_BACKGROUND_WORK_H_
