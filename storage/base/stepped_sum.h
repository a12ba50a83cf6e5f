#ifndef CLOAKROOM_STORAGE_BASE_STEPPED_SUM_H_
#define CLOAKROOM_STORAGE_BASE_STEPPED_SUM_H_

#include <atomic>
#include <cstdint>

namespace cloakroom {

/// A sum of figures that threads keep each for itself and change all the time. It learns of a
/// thread's figure in steps, so that whoever asks for the sum reads one cache line that hardly ever
/// changes, and not the lines of all threads.
///
/// The sum is wrong by less than kStep for each thread that publishes as often as its figure
/// changes; one that does not is published by somebody else now and then.
///
/// Any thread may call anything.
class SteppedSum {
 public:
  static constexpr int64_t kStep = 64 * 1024;

  /// What is known of one thread. On a cache line of its own: its thread looks at it all the time.
  class alignas(64) Part {
   public:
    Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    friend class SteppedSum;
    std::atomic<int64_t> published_ = 0;
  };

  /// `figure` is what `part` comes to now. From its thread, and when that sees to it too seldom,
  /// from any: what is published twice counts once.
  void Publish(Part& part, int64_t figure) {
    const int64_t before = part.published_.exchange(figure, std::memory_order_relaxed);
    sum_.fetch_add(figure - before, std::memory_order_relaxed);
  }
  /// The same, once it is a step away from what was published last.
  void PublishStep(Part& part, int64_t figure) {
    const int64_t away = figure - part.published_.load(std::memory_order_relaxed);
    if (away >= kStep || away <= -kStep) [[unlikely]]
      Publish(part, figure);
  }
  int64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  /// With the exact figure of one of them: the caller's own.
  int64_t SumWith(const Part& part, int64_t figure) const {
    return sum() + figure - part.published_.load(std::memory_order_relaxed);
  }

 private:
  alignas(64) std::atomic<int64_t> sum_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_STEPPED_SUM_H_
