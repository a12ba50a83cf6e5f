#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_QUEUE_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_QUEUE_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "storage/base/clock.h"

namespace cloakroom {

/// Who wants a session's lock, or has it: a connection and the texts that it gave about itself.
/// The caller limits the texts.
struct SessionClient {
  uint64_t connection = 0;  ///< never 0, and never used again in the process
  std::string owner;        ///< "host|pid"
  std::string req;          ///< its request, for operators and plain clients
};

/// Whose lock was broken in favour of a waiter.
struct BrokenSession {
  std::string owner;
  int64_t held_ms = 0;
  std::string req;
};

/// A native client's wish for a session's lock, and its place in the queue if it has to wait; or
/// the poll of a plain client, which waits in the queue for the lock to be free. It must stay where
/// it is, and live, while it is placed().
///
/// Thread rule: the stripe is held, or the gate closed; before Open and when it is no longer
/// placed, its owner's.
class SessionWaiter {
 public:
  enum class Kind : uint8_t { kOpen, kPoll };

  /// `lease_ms`: how long its hold may keep somebody waiting, 0 or more; a poll's does not count.
  SessionWaiter(SessionClient client, int64_t lease_ms, Kind kind = Kind::kOpen)
      : client_(std::move(client)), lease_ms_(lease_ms), kind_(kind) {}
  ~SessionWaiter() { assert(!placed()); }
  SessionWaiter(const SessionWaiter&) = delete;
  SessionWaiter& operator=(const SessionWaiter&) = delete;

  /// The client; its texts are empty while it has the lock.
  const SessionClient& client() const { return client_; }
  int64_t lease_ms() const { return lease_ms_; }
  bool polls() const { return kind_ == Kind::kPoll; }
  /// When it came, on the monotonic clock; kNever: it has not queued yet.
  int64_t since_ms() const { return since_ms_; }
  bool queued() const { return place_ == Place::kQueued; }
  /// It was granted the lock while it waited, and its request has not run again since.
  bool granted() const { return place_ == Place::kGranted; }
  /// The lock refers to it.
  bool placed() const { return place_ != Place::kNone; }
  /// The lock was broken for it.
  const std::unique_ptr<const BrokenSession>& broken() const { return broken_; }

 private:
  friend class SessionLock;
  friend class SessionQueue;
  enum class Place : uint8_t { kNone, kQueued, kGranted };

  SessionClient client_;
  const int64_t lease_ms_;
  int64_t since_ms_ = kNever;
  std::unique_ptr<const BrokenSession> broken_;  ///< few waiters have one
  SessionWaiter* before_ = nullptr;
  SessionWaiter* behind_ = nullptr;
  const Kind kind_;
  Place place_ = Place::kNone;
};

/// Those who wait for one session's lock, first come, first served. Every step but Ahead and
/// ForEach takes constant time and allocates nothing.
///
/// Thread rule: the stripe is held, or the gate closed.
class SessionQueue {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  /// Without the polls.
  size_t natives() const { return size_ - polls_; }
  SessionWaiter* head() const { return first_; }

  void PushBack(SessionWaiter& waiter);
  /// For a waiter that had left the head, and has to wait after all.
  void PushFront(SessionWaiter& waiter);
  /// REQUIRES: it is in this queue.
  void Remove(SessionWaiter& waiter);

  /// How many wait before it. REQUIRES: it is in this queue.
  size_t Ahead(const SessionWaiter& waiter) const;
  /// Calls `visit` with each waiter, from the head on.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const SessionWaiter* at = first_; at != nullptr; at = at->behind_) visit(*at);
  }

 private:
  SessionWaiter* first_ = nullptr;
  SessionWaiter* last_ = nullptr;
  size_t size_ = 0;
  size_t polls_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_QUEUE_H_
