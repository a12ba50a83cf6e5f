#ifndef CLOAKROOM_SERVER_PERSISTENCE_LOAD_PROGRESS_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LOAD_PROGRESS_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// How far a load has come, for clients (LOADING), INFO, the server log and the supervisor.
///
/// Thread rule: any thread; one load at a time.
class LoadProgress {
 public:
  /// Between two lines of the server log.
  static constexpr int64_t kTellMs = 2000;

  explicit LoadProgress(const Clock& clock) : clock_(clock) {}
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;

  /// What a load means for clients.
  enum class Phase : uint8_t {
    kNone,
    kRefusing,  ///< they are told LOADING
    kBeside,    ///< they are served from the old data, but for commands with kNoAsyncLoading
  };

  /// `phase`: not kNone.
  void Begin(Phase phase = Phase::kRefusing);
  void End();
  Phase phase() const { return phase_.load(std::memory_order_relaxed); }

  /// The bytes to read in all.
  void set_total(int64_t bytes);
  /// How many of them have been read. Tells the server log and the supervisor when that is due.
  void NoteBytes(int64_t done_bytes);
  /// Adds what one RDB file contained; it may be only a part of the load.
  void NoteKeys(int64_t keys, int64_t expired, int64_t lost);

  /// For INFO. The counts stay after the load has ended.
  struct Figures {
    Phase phase = Phase::kNone;
    int64_t started_s = 0;
    int64_t total_bytes = 0;
    int64_t done_bytes = 0;
    int64_t keys = 0;
    int64_t expired_keys = 0;
    int64_t lost = 0;  ///< places that a repair skipped
  };
  Figures figures() const;

 private:
  const Clock& clock_;
  std::atomic<Phase> phase_ = Phase::kNone;
  mutable Mutex mutex_;
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  int64_t told_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOAD_PROGRESS_H_
