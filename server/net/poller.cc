#include "server/net/poller.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace cloakroom {
namespace {

/// Told in one round; whatever else the loop does has its turn between two.
constexpr size_t kPerRound = 128;

// The hang-up as well: who takes less than there is room for has taken everything, except that the
// end of the stream may have come with it.
constexpr uint32_t kReads = EPOLLIN | EPOLLRDHUP;
constexpr uint32_t kHangUps = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

int Checked(int fd, const char* call) {
  if (fd < 0) throw std::system_error(errno, std::system_category(), call);
  return fd;
}

}  // namespace

Poller::Poller()
    : set_(Checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(Checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      alarm_(Checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd")) {
  AddOwn(&wake_);
  AddOwn(&alarm_);
}

Poller::~Poller() {
  for (int fd : {alarm_, wake_, set_}) close(fd);
}

// Edge-triggered, so that nobody need read them.
void Poller::AddOwn(int* fd) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = fd;
  Checked(epoll_ctl(set_, EPOLL_CTL_ADD, *fd, &event), "epoll_ctl");
}

bool Poller::Add(Watcher& watcher, int fd, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  if (epoll_ctl(set_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  watcher.events_ = events;
  return true;
}

bool Poller::Watch(Watcher& watcher, int fd) { return Add(watcher, fd, kReads | EPOLLET); }

bool Poller::WatchListening(Watcher& watcher, int fd) { return Add(watcher, fd, EPOLLIN); }

bool Poller::WatchRoom(Watcher& watcher, int fd, bool room) {
  const bool was = (watcher.events_ & EPOLLOUT) != 0;
  if (watcher.events_ == 0 || (!room && !was)) return true;
  // Even if it is watched for room already: that has the kernel look anew.
  epoll_event event{};
  event.events = kReads | EPOLLET | (room ? EPOLLOUT : 0U);
  event.data.ptr = &watcher;
  if (epoll_ctl(set_, EPOLL_CTL_MOD, fd, &event) != 0) return false;
  watcher.events_ = event.events;
  return true;
}

void Poller::Forget(Watcher& watcher, int fd) {
  if (std::exchange(watcher.events_, 0) != 0) epoll_ctl(set_, EPOLL_CTL_DEL, fd, nullptr);
}

Poller::Told Poller::Round(bool may_wait) {
  std::array<epoll_event, kPerRound> events;
  const int count = epoll_wait(set_, events.data(), kPerRound, may_wait ? -1 : 0);
  Told told;
  for (const epoll_event& event :
       std::span(events).first(static_cast<size_t>(std::max(count, 0)))) {
    if (event.data.ptr == &wake_) {
      told.woken = true;
    } else if (event.data.ptr == &alarm_) {
      told.alarm = true;
      alarm_at_ = Time::max();
    } else {
      auto* watcher = static_cast<Watcher*>(event.data.ptr);
      // It may have been forgotten since, in this very round.
      if (watcher->events_ == 0) continue;
      const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
      const bool writable = broken || (event.events & EPOLLOUT) != 0;
      watcher->OnReady({.readable = broken || (event.events & EPOLLIN) != 0,
                        .writable = writable && (watcher->events_ & EPOLLOUT) != 0,
                        .hung_up = (event.events & kHangUps) != 0});
    }
  }
  return told;
}

void Poller::Wake() {
  constexpr uint64_t kOne = 1;
  // It fails when 2^64 - 2 calls have not been read.
  static_cast<void>(!write(wake_, &kOne, sizeof(kOne)));
}

void Poller::SetAlarm(Time time) {
  if (time >= alarm_at_) return;
  alarm_at_ = time;
  constexpr int64_t kSecond = 1'000'000'000;
  // A timer that is set to 0 is off.
  const int64_t ns = std::max<int64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count(), 1);
  itimerspec spec{};
  spec.it_value = {.tv_sec = ns / kSecond, .tv_nsec = ns % kSecond};
  timerfd_settime(alarm_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

}  // namespace cloakroom
