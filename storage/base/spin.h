#ifndef CLOAKROOM_STORAGE_BASE_SPIN_H_
#define CLOAKROOM_STORAGE_BASE_SPIN_H_

#include <chrono>

namespace cloakroom {

/// How often a thread looks again for something that another one holds for far less time than
/// sleeping and waking take: about a microsecond in all.
inline constexpr int kSpins = 40;

/// How long a thread then sleeps between two looks. The kernel adds its timer slack of 50 us.
inline constexpr std::chrono::microseconds kPollInterval{10};

/// Tells the processor that this loop waits, so that the core's other thread gets more of it.
inline void PauseProcessor() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_SPIN_H_
