#ifndef CLOAKROOM_SERVER_NET_HELD_REPLIES_H_
#define CLOAKROOM_SERVER_NET_HELD_REPLIES_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "server/persistence/change_journal.h"

namespace cloakroom {

/// With `appendfsync always`: the connections of an event loop whose replies wait until the log is
/// durable.
///
/// The changes of a round's clients go to the disk together, and the replies are sent together:
/// this costs one wake-up of the log's writer and one of the event loop, for any number of clients.
///
/// Thread rule: its event loop. The journal calls the loop back until it is closed, so it is closed
/// before the loop ends.
class HeldReplies {
 public:
  /// A connection whose replies wait.
  class Holder {
   public:
    /// Called when the log is durable up to the offset. Some replies may still wait for a later
    /// one.
    virtual void SendHeld() = 0;

   protected:
    ~Holder() = default;
  };

  /// Runs a task on the event loop, from any thread.
  using Post = std::function<void(std::function<void()>)>;

  HeldReplies(Post post, ChangeJournal& journal) : post_(std::move(post)), journal_(journal) {}
  HeldReplies(const HeldReplies&) = delete;
  HeldReplies& operator=(const HeldReplies&) = delete;

  /// REQUIRES: EndRound() will follow.
  void Add(std::shared_ptr<Holder> holder, int64_t offset);
  /// Call it when all ready clients have been served: their changes go to the disk.
  void EndRound();
  void Clear() { held_.clear(); }

 private:
  /// How long the loop itself waits for the disk. Meanwhile the other clients' requests gather into
  /// one large round and one group on the disk instead of many small ones: a quarter less CPU. A
  /// slower disk wakes the loop later, and does not delay clients that only read.
  static constexpr int64_t kPatienceUs = 500;

  struct Held {
    std::shared_ptr<Holder> holder;
    int64_t offset;
  };

  void Await();
  void Release();

  const Post post_;
  ChangeJournal& journal_;
  std::deque<Held> held_;  ///< ordered by offset; released in the order in which they were added
  int64_t demanded_ = 0;
  bool awaited_ = false;  ///< a call is due when the first is durable
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_HELD_REPLIES_H_
