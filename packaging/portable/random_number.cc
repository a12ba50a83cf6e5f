// A function of glibc 2.36 that libstdc++'s random_device needs, as Debian 12 builds it. Like
// glibc's, it takes its numbers from the kernel's generator.
#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

/// Hidden, as in find_object.cc. Never fails: a server must not go on with numbers that can be
/// guessed.
extern "C" __attribute__((visibility("hidden"))) uint32_t arc4random() noexcept {
  uint32_t number = 0;
  // Once the kernel's generator is seeded, a read of so few bytes is never short or interrupted.
  while (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
    if (errno != EINTR) std::abort();
  }
  return number;
}
