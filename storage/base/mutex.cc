#include "storage/base/mutex.h"

#include <thread>

#include "storage/base/spin.h"

namespace cloakroom {

bool Mutex::Spin() {
  for (int i = 0; i < kSpins; ++i) {
    PauseProcessor();
    if (mutex_.try_lock()) return true;
  }
  return false;
}

bool Mutex::Poll(std::chrono::steady_clock::time_point until) {
  do {
    std::this_thread::sleep_for(kPollInterval);
    if (mutex_.try_lock()) return true;
  } while (std::chrono::steady_clock::now() < until);
  return false;
}

}  // namespace cloakroom
