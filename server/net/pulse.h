#ifndef CLOAKROOM_SERVER_NET_PULSE_H_
#define CLOAKROOM_SERVER_NET_PULSE_H_

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

namespace cloakroom {

/// Which of several threads have answered the last question "are you there?". One thread asks; any
/// thread answers.
class Pulse {
 public:
  explicit Pulse(size_t threads) : silent_(threads) {}

  /// Asks again: from now on no thread has answered.
  void Ask() {
    for (std::atomic<bool>& one : silent_) one.store(true, std::memory_order_relaxed);
  }
  void Answer(size_t thread) { silent_[thread].store(false, std::memory_order_relaxed); }
  /// The first thread that has not answered; none before the first question.
  std::optional<size_t> Silent() const {
    for (size_t i = 0; i < silent_.size(); ++i) {
      if (silent_[i].load(std::memory_order_relaxed)) return i;
    }
    return std::nullopt;
  }
  size_t size() const { return silent_.size(); }

 private:
  std::vector<std::atomic<bool>> silent_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_PULSE_H_
