#ifndef CLOAKROOM_SERVER_PERSISTENCE_LOAD_PROGRESS_H_
#define CLOAKROOM_SERVER_PERSISTENCE_LOAD_PROGRESS_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// How far a load has come: what clients (LOADING), INFO, the log and a supervisor are told of it.
///
/// Thread rule: any thread; one load at a time.
class LoadProgress {
 public:
  /// Between two lines of the log.
  static constexpr int64_t kTellMs = 2000;

  explicit LoadProgress(const Clock& clock) : clock_(clock) {}
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;

  /// From here on clients are told LOADING.
  void Begin();
  void End();
  bool loading() const { return loading_.load(std::memory_order_relaxed); }

  /// Bytes of all that is to be read.
  void set_total(int64_t bytes);
  /// So many of them have been read. Whether a line of the log and the supervisor are due is this
  /// function's business.
  void NoteBytes(int64_t done_bytes);
  /// What an RDB gave, which may be one part of what is loaded.
  void NoteKeys(int64_t keys, int64_t expired, int64_t lost);

  /// For INFO. The counts stay when the load has ended.
  struct Figures {
    bool loading = false;
    int64_t started_s = 0;
    int64_t total_bytes = 0;
    int64_t done_bytes = 0;
    int64_t keys = 0;
    int64_t expired_keys = 0;
    int64_t lost = 0;  ///< places that a repair passed over
  };
  Figures figures() const;

 private:
  const Clock& clock_;
  std::atomic<bool> loading_ = false;
  mutable Mutex mutex_;
  Figures figures_ ABSL_GUARDED_BY(mutex_);
  int64_t told_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_LOAD_PROGRESS_H_
