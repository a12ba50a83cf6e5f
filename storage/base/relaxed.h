#ifndef CLOAKROOM_STORAGE_BASE_RELAXED_H_
#define CLOAKROOM_STORAGE_BASE_RELAXED_H_

#include <atomic>

namespace cloakroom {

/// A value that any thread reads and writes, and sees at worst a moment late. A copy has a value of
/// its own.
template <typename T>
class Relaxed {
 public:
  Relaxed(T value = {}) : value_(value) {}  // NOLINT: reads and assigns like the number it is
  operator T() const { return value_.load(std::memory_order_relaxed); }  // NOLINT
  Relaxed(const Relaxed& other) : Relaxed(static_cast<T>(other)) {}
  Relaxed& operator=(const Relaxed& other) { return *this = static_cast<T>(other); }
  Relaxed& operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  /// Not atomic as a whole: only its one writer may add.
  Relaxed& operator+=(T n) { return *this = static_cast<T>(*this) + n; }
  Relaxed& operator-=(T n) { return *this = static_cast<T>(*this) - n; }

 private:
  std::atomic<T> value_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_RELAXED_H_
