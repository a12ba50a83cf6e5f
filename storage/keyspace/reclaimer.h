#ifndef CLOAKROOM_STORAGE_KEYSPACE_RECLAIMER_H_
#define CLOAKROOM_STORAGE_KEYSPACE_RECLAIMER_H_

#include <atomic>
#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/keyspace/entry.h"
#include "storage/keyspace/table.h"

namespace cloakroom {

/// Frees what would take long to free, such as large values and whole tables, on a thread of its
/// own, so that event loops free only small ones.
///
/// Thread rule: any thread may call anything.
class Reclaimer {
 public:
  /// Values of at most this many allocations are freed where they are dropped.
  static constexpr size_t kInlineCost = 64;

  Reclaimer();
  /// Frees everything that is left, then returns.
  ~Reclaimer();
  Reclaimer(const Reclaimer&) = delete;
  Reclaimer& operator=(const Reclaimer&) = delete;

  /// Takes over the entry with everything that its payload points to.
  void Drop(Entry* entry);
  /// Takes over what a value's payload points to; the payload itself remains the caller's.
  void DropValue(const ValueView& value);
  void DropTable(Table table);

  /// Entries that wait to be freed (INFO's lazyfree_pending_objects), and those freed so far.
  int64_t pending() const { return pending_.load(std::memory_order_acquire); }
  /// How many of the pending ones are in tables that FLUSHDB and FLUSHALL removed.
  int64_t pending_in_tables() const { return pending_in_tables_.load(std::memory_order_acquire); }
  int64_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }

  /// Calls `done`, on the reclaimer's thread, when everything dropped before the call is freed.
  /// `done` must only post.
  void WhenDrained(std::function<void()> done) { Post({std::move(done), 0}); }
  /// Waits for that, for tests.
  void Drain();

 private:
  struct Job {
    std::function<void()> run;
    int64_t objects;
    bool is_table = false;
  };
  void Post(Job job);
  void Run();

  // On another cache line than the lock, for which dropping threads compete.
  std::atomic<int64_t> pending_ = 0;
  std::atomic<int64_t> pending_in_tables_ = 0;
  std::atomic<int64_t> freed_ = 0;
  alignas(64) Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_RECLAIMER_H_
