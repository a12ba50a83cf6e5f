#ifndef CLOAKROOM_STORAGE_BASE_STEPPED_SUM_H_
#define CLOAKROOM_STORAGE_BASE_STEPPED_SUM_H_

#include <atomic>
#include <cstdint>

namespace cloakroom {

/// A sum of figures, one per thread, that change all the time. Each thread publishes its figure in
/// steps, so that a reader of the sum reads one cache line that hardly ever changes, and not the
/// lines of all threads.
///
/// The sum is wrong by less than kStep for each thread that publishes as often as its figure
/// changes. If a thread does not, another one publishes for it now and then.
///
/// Thread rule: any thread may call anything.
class SteppedSum {
 public:
  static constexpr int64_t kStep = 64 * 1024;

  /// One thread's figure. On a cache line of its own, since its thread reads it all the time.
  class alignas(64) Part {
   public:
    Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    friend class SteppedSum;
    std::atomic<int64_t> published_ = 0;
  };

  /// Publishes `figure` as the current value of `part`. Its thread calls this; any other may call
  /// it when that thread publishes too seldom. A figure published twice counts once.
  void Publish(Part& part, int64_t figure) {
    const int64_t before = part.published_.exchange(figure, std::memory_order_relaxed);
    sum_.fetch_add(figure - before, std::memory_order_relaxed);
  }
  /// The same, but only once the figure is a step away from the one published last.
  void PublishStep(Part& part, int64_t figure) {
    const int64_t away = figure - part.published_.load(std::memory_order_relaxed);
    if (away >= kStep || away <= -kStep) [[unlikely]]
      Publish(part, figure);
  }
  int64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  /// The sum with the exact figure of one part, the caller's own.
  int64_t SumWith(const Part& part, int64_t figure) const {
    return sum() + figure - part.published_.load(std::memory_order_relaxed);
  }

 private:
  alignas(64) std::atomic<int64_t> sum_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_STEPPED_SUM_H_
