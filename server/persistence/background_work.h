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

/// The slot for background work, a snapshot, a rewrite of the log or an RDB for replicas: one at a
/// time, as Redis has one child at a time. The saver and the log keeper begin their work here. A
/// save or load that everybody waits for takes the slot over (TakeOver); the work under way is then
/// given up.
///
/// Thread rule: any thread.
class BackgroundWork {
 public:
  enum class Kind : uint8_t { kNone, kSnapshot, kRewrite, kFullSync };
  using Job = std::function<absl::Status()>;
  /// Called on the job's thread with the job's result, once the slot is free again.
  using Done = std::function<void(const absl::Status&)>;

  /// Both outlive it; the runner's jobs end before it goes.
  BackgroundWork(const Clock& clock, JobRunner& runner) : clock_(clock), runner_(runner) {}
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  /// The work under way.
  Kind under_way() const;
  /// Begins the job and returns kNone; or, if other work is under way, returns its kind and begins
  /// nothing. A job asks given_up() now and then, and soon ends when that is true.
  Kind Begin(Kind kind, Job job, Done done);
  /// Whether the work under way should end unfinished: somebody takes over, or saving is forgone.
  bool given_up() const { return saving_forgone() || takers_.load() > 0; }

  /// From now on nothing is saved any more: no snapshot, no base of the log. The keyspace holds
  /// only a part of the data, or changes that a script left half done.
  void ForgoSaving() { saving_forgone_ = true; }
  bool saving_forgone() const { return saving_forgone_.load(); }

  /// Calls `act` while nothing is under way and nothing can begin. Returns false without calling it
  /// when something is under way.
  bool WhileIdle(absl::FunctionRef<void()> act);
  /// Waits until nothing is under way.
  void AwaitIdle();

  /// From its construction on, gives up the work under way; then has the slot until its
  /// destruction. To others that looks like a snapshot under way.
  ///
  /// Thread rule: one thread at a time for each object.
  class TakeOver {
   public:
    explicit TakeOver(BackgroundWork& work) : work_(work) { ++work_.takers_; }
    ~TakeOver();
    TakeOver(const TakeOver&) = delete;
    TakeOver& operator=(const TakeOver&) = delete;

    /// Takes the slot if it is free, and returns whether it has it. Never waits.
    bool Try();
    /// Waits until it has the slot. False: `give_up`, which is asked now and then, returned true.
    bool Wait(absl::FunctionRef<bool()> give_up = [] { return false; });

   private:
    void Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(work_.mutex_);

    BackgroundWork& work_;
    bool has_slot_ = false;
  };

  /// For INFO. Shows a snapshot under way between work that was given up and whoever takes over.
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
  std::atomic<int> takers_ = 0;  ///< how many want the slot and do not have it yet
  mutable Mutex mutex_;
  CondVar ended_;
  Kind under_way_ ABSL_GUARDED_BY(mutex_) = Kind::kNone;
  int64_t started_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_BACKGROUND_WORK_H_
