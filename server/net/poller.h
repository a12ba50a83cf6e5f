#ifndef CLOAKROOM_SERVER_NET_POLLER_H_
#define CLOAKROOM_SERVER_NET_POLLER_H_

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>

namespace cloakroom {

/// All that an event loop waits for, in one epoll set: sockets that have something to read or room
/// to write, an alarm, and a call from another thread. A round costs one system call, however many
/// sockets are ready.
///
/// Connections are watched edge-triggered: a change is told once, and whoever leaves something
/// unread has to remember that. Listening sockets are level-triggered: they are told again as long
/// as a client waits there.
///
/// Thread rule: its event loop; Wake from any thread.
class Poller {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Ready {
    bool readable = false;  ///< or broken, which reading shows
    bool writable = false;
    bool hung_up = false;  ///< the other end sends no more, or is gone
  };

  /// Whoever owns a descriptor. It must not be destroyed during a round, though it may have been
  /// forgotten in it.
  class Watcher {
   public:
    Watcher() = default;
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

   protected:
    ~Watcher() = default;

   private:
    friend class Poller;
    virtual void OnReady(const Ready& ready) = 0;

    uint32_t events_ = 0;  ///< 0: not watched
  };

  /// Throws std::system_error when the kernel has no descriptors left.
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Watches a connection, edge-triggered. False when the kernel refuses
  /// (fs.epoll.max_user_watches).
  bool Watch(Watcher& watcher, int fd);
  /// Watches a listening socket, level-triggered. False as above.
  bool WatchListening(Watcher& watcher, int fd);
  /// Whether to tell a watched connection of room to write, too. With `room`, it is told again, if
  /// there is any. False, and nothing changed, when the kernel refuses.
  bool WatchRoom(Watcher& watcher, int fd, bool room);
  /// Ends watching a descriptor that stays open.
  void Forget(Watcher& watcher, int fd);
  /// The watcher's descriptor is about to be closed, upon which the kernel forgets it.
  void Closing(Watcher& watcher) { watcher.events_ = 0; }

  struct Told {
    bool woken = false;  ///< by Wake
    bool alarm = false;  ///< the time of SetAlarm has come
  };
  /// Tells those that are ready, some at most. If `may_wait`, waits until somebody is, or until the
  /// alarm or a Wake.
  Told Round(bool may_wait);

  /// Ends a Round's wait, or makes the next one return at once. Any thread.
  void Wake();
  /// The alarm that is set for later is put forward to `time`; one for earlier stays.
  void SetAlarm(Time time);

 private:
  bool Add(Watcher& watcher, int fd, uint32_t events);
  void AddOwn(int* fd);

  int set_ = -1;
  int wake_ = -1;   ///< an eventfd
  int alarm_ = -1;  ///< a timerfd
  Time alarm_at_ = Time::max();
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_POLLER_H_
