// A function of glibc 2.36 that libstdc++'s random_device asks for, as Debian 12 builds it. The
// kernel's generator is what glibc's takes its numbers from as well.
#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

/// Hidden, as in find_object.cc. Never fails: a server must not go on with numbers that can be
/// guessed.
extern "C" __attribute__((visibility("hidden"))) uint32_t arc4random() noexcept {
  uint32_t number = 0;
  // So few bytes are neither cut short nor interrupted, once the kernel's generator is seeded.
  while (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
    if (errno != EINTR) std::abort();
  }
  return number;
}
