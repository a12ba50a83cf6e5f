#include "clients/drill/signal.h"

#include <csignal>
#include <ctime>

namespace cloakroom::drill {
namespace {

constexpr timespec kLookForEnd = {.tv_sec = 0, .tv_nsec = 100'000'000};

sigset_t Interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void Signal::Raise() {
  const MutexLock lock(mutex_);
  raised_ = true;
  is_raised_.NotifyAll();
}

bool Signal::raised() const {
  const MutexLock lock(mutex_);
  return raised_;
}

bool Signal::WaitUntil(std::chrono::steady_clock::time_point until) const {
  const MutexLock lock(mutex_);
  while (!raised_ && is_raised_.WaitUntil(mutex_, until)) {
  }
  return raised_;
}

InterruptWatch::InterruptWatch(Signal& interrupt) : interrupt_(interrupt) {
  const sigset_t set = Interrupts();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // If the reader of our output goes away, the run goes on too.
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { Watch(); });
}

InterruptWatch::~InterruptWatch() {
  ended_.Raise();
  thread_.join();
}

void InterruptWatch::Watch() {
  const sigset_t set = Interrupts();
  while (!ended_.raised()) {
    if (sigtimedwait(&set, nullptr, &kLookForEnd) > 0) interrupt_.Raise();
  }
}

}  // namespace cloakroom::drill
