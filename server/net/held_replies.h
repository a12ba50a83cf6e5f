#ifndef CLOAKROOM_SERVER_NET_HELD_REPLIES_H_
#define CLOAKROOM_SERVER_NET_HELD_REPLIES_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "server/persistence/change_journal.h"

namespace cloakroom {

/// Who may answer when, with `appendfsync always`: the connections of an event loop whose replies
/// wait until the log is on the disk.
///
/// The clients of a round go to the disk together, and are answered together: one wake-up of the
/// log's writer, and one of the event loop, however many they are.
///
/// Thread rule: its event loop. The journal calls the loop back until it is closed, so it is closed
/// before the loop ends.
class HeldReplies {
 public:
  /// Who waits.
  class Holder {
   public:
    /// The log is durable up to the offset. What was held may still wait for a later one.
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
  /// All who were ready have been served: what they changed goes to the disk.
  void EndRound();
  void Clear() { held_.clear(); }

 private:
  /// So long the loop waits for the disk where it stands. The other clients' requests gather
  /// meanwhile, and make up one large round and one group on the disk rather than many small ones:
  /// a quarter less CPU. A slower disk wakes the loop, and holds up nobody who only reads.
  static constexpr int64_t kPatienceUs = 500;

  struct Held {
    std::shared_ptr<Holder> holder;
    int64_t offset;
  };

  void Await();
  void Release();

  const Post post_;
  ChangeJournal& journal_;
  std::deque<Held> held_;  ///< by offset: they are released in the order in which they were added
  int64_t demanded_ = 0;
  bool awaited_ = false;  ///< the first of them
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_HELD_REPLIES_H_
