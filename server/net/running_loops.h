#ifndef CLOAKROOM_SERVER_NET_RUNNING_LOOPS_H_
#define CLOAKROOM_SERVER_NET_RUNNING_LOOPS_H_

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace cloakroom {

class EventLoop;

/// The event loops of a server by their threads: a push asks from which loop it comes.
///
/// Thread rule: any thread; Enter and Leave by the loop's own.
class RunningLoops {
 public:
  explicit RunningLoops(size_t loops) : places_(loops) {}
  RunningLoops(const RunningLoops&) = delete;
  RunningLoops& operator=(const RunningLoops&) = delete;

  /// The calling thread runs the loop with this index, from now on.
  void Enter(size_t index, EventLoop& loop) {
    places_[index].loop = &loop;
    places_[index].thread.store(std::this_thread::get_id(), std::memory_order_release);
  }
  /// It does no longer: another thread may get its id.
  void Leave(size_t index) { places_[index].thread.store({}, std::memory_order_relaxed); }
  /// The loop that the calling thread runs, or null.
  EventLoop* OfThisThread() const {
    const std::thread::id self = std::this_thread::get_id();
    for (const Place& place : places_) {
      // Only this thread can have stored its id.
      if (place.thread.load(std::memory_order_relaxed) == self) return place.loop;
    }
    return nullptr;
  }

 private:
  struct Place {
    EventLoop* loop = nullptr;
    std::atomic<std::thread::id> thread;
  };
  std::vector<Place> places_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_RUNNING_LOOPS_H_
