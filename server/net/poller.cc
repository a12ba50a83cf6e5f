#include "server/net/poller.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace cloakroom {
namespace {

/// Told in one round; timers and posts have their turn between two.
constexpr size_t kPerRound = 128;

int NewSet() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
  return fd;
}

}  // namespace

Poller::Poller(boost::asio::io_context& context, std::function<void()> after_round)
    : set_(context, NewSet()), after_round_(std::move(after_round)) {}

Poller::~Poller() = default;

void Poller::Arm() {
  // Waiting asks the kernel anew, so that whoever is ready already ends it at once.
  set_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                  [this](boost::system::error_code error) {
                    if (error) return;
                    Round();
                    Arm();
                  });
}

bool Poller::Watch(Watcher& watcher, int fd, bool reads, bool writes, bool hang_up) {
  const uint32_t events =
      (reads ? EPOLLIN : 0U) | (writes ? EPOLLOUT : 0U) | (hang_up ? EPOLLRDHUP : 0U);
  if (events == watcher.events_) return true;
  // Not even for nothing does a socket stay in the set: its hang-up would be told without end.
  const int change = events == 0            ? EPOLL_CTL_DEL
                     : watcher.events_ == 0 ? EPOLL_CTL_ADD
                                            : EPOLL_CTL_MOD;
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  if (epoll_ctl(set_.native_handle(), change, fd, &event) != 0) return false;
  watcher.events_ = events;
  if (events == 0) Forget(watcher);
  return true;
}

void Poller::Forget(const Watcher& watcher) {
  for (Pending* round = rounds_; round != nullptr; round = round->outer) {
    for (epoll_event& event : round->events) {
      if (event.data.ptr == &watcher) event.data.ptr = nullptr;
    }
  }
}

void Poller::Round() {
  std::array<epoll_event, kPerRound> events;
  const int ready = epoll_wait(set_.native_handle(), events.data(), kPerRound, 0);
  if (ready <= 0) return;
  Pending round{std::span(events).first(static_cast<size_t>(ready)), rounds_};
  rounds_ = &round;
  for (const epoll_event& event : round.events) {
    auto* watcher = static_cast<Watcher*>(event.data.ptr);
    if (watcher == nullptr) continue;
    // What it is watched for may have changed since, in this very round.
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    if (watcher->WatchesHangUp() && (broken || (event.events & EPOLLRDHUP) != 0)) {
      watcher->OnHangUp();
      continue;
    }
    const bool readable = broken || (event.events & EPOLLIN) != 0;
    const bool writable = broken || (event.events & EPOLLOUT) != 0;
    watcher->OnReady(readable && watcher->WatchesReads(), writable && watcher->WatchesWrites());
  }
  rounds_ = round.outer;
  after_round_();
}

}  // namespace cloakroom
