#ifndef CLOAKROOM_SERVER_NET_POLLER_H_
#define CLOAKROOM_SERVER_NET_POLLER_H_

#include <sys/epoll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <span>

namespace cloakroom {

/// Which sockets of an event loop have something to read, or room to write: an epoll set of its
/// own, for whose descriptor the loop's io_context waits.
///
/// Asio's own way, an async_wait for each socket and request, takes an epoll_ctl each time: a third
/// system call besides recv and send. Here a round takes three, for all sockets that are ready.
///
/// Level-triggered: what is left unread is told again in the next round.
///
/// Thread rule: its event loop.
class Poller {
 public:
  /// Whoever owns a descriptor. It must be watched for nothing when it, or the descriptor, ends.
  class Watcher {
   public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

   protected:
    ~Watcher() = default;

   private:
    friend class Poller;
    bool WatchesReads() const { return (events_ & EPOLLIN) != 0; }
    bool WatchesWrites() const { return (events_ & EPOLLOUT) != 0; }
    bool WatchesHangUp() const { return (events_ & EPOLLRDHUP) != 0; }
    /// Each is set only when it is watched for; an error or a hang-up sets all that are.
    virtual void OnReady(bool readable, bool writable) = 0;
    /// The other end sends no more, or is gone.
    virtual void OnHangUp() {}

    uint32_t events_ = 0;
  };

  /// `after_round` is called whenever all who were ready have been told.
  Poller(boost::asio::io_context& context, std::function<void()> after_round);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Begins to tell.
  void Start() { Arm(); }

  /// What to tell `watcher` of `fd` from now on; neither forgets it. False, and nothing changed,
  /// when the kernel refuses (fs.epoll.max_user_watches).
  /// `hang_up` is for those that do not read, and would see by reading that nothing more comes.
  bool Watch(Watcher& watcher, int fd, bool reads, bool writes, bool hang_up = false);

  /// Tells those that are ready now, some at most. May be called from inside an OnReady.
  void Round();

 private:
  /// What a round is yet to tell. Rounds nest, by a script that lets others be served.
  struct Pending {
    std::span<epoll_event> events;
    Pending* outer;
  };

  void Arm();
  void Forget(const Watcher& watcher);

  boost::asio::posix::stream_descriptor set_;
  const std::function<void()> after_round_;
  Pending* rounds_ = nullptr;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_POLLER_H_
