#ifndef CLOAKROOM_STORAGE_SESSIONS_PLAIN_POLLERS_H_
#define CLOAKROOM_STORAGE_SESSIONS_PLAIN_POLLERS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace cloakroom {

/// The plain clients that poll one session's lock, and when their turn is due. They cannot queue:
/// among native clients, who hand the lock over, they would never find it free. So when the oldest
/// of them has been patient for long enough, the lock is left free for a moment. Whoever polls
/// first then has it, so the moment is chosen by who will: see Due.
///
/// Times are of the monotonic clock, in milliseconds, and never go back.
/// Thread rule: the stripe is held, or the gate closed.
class PlainPollers {
 public:
  /// A client that has not polled for so long does not poll any more. Plain clients poll every half
  /// second.
  static constexpr int64_t kStillPollsMs = 1100;
  /// By then its next poll should have come, a late one too.
  static constexpr int64_t kTickMs = 600;
  /// If more clients poll, only the first are known. The others become known when those have left.
  static constexpr size_t kMost = 32;

  /// The connection has polled and found the lock taken.
  void Note(uint64_t connection, int64_t now_ms);
  /// The connection has the lock.
  void Remove(uint64_t connection);
  /// Since when it has polled in vain; kNever: it has not.
  int64_t Since(uint64_t connection) const;
  /// Forgets those that do not poll any more.
  void Forget(int64_t now_ms);
  /// When there will be none if nobody polls; kNever (storage/base/clock.h) if there are none.
  int64_t ForgottenAt() const;

  /// Whether it is time for a turn: the one that polls next, as it did the longest ago, has waited
  /// for `patience_ms`, or any for half as long again; and for `patience_ms` no turn has begun that
  /// nobody took.
  bool Due(int64_t now_ms, int64_t patience_ms) const;
  void TurnBegan(int64_t now_ms) { turn_began_ms_ = now_ms; }
  void TurnTaken() { turn_began_ms_ = kNoTurn; }

  bool empty() const { return pollers_.empty(); }
  /// The memory that it has allocated.
  size_t bytes() const { return pollers_.capacity() * sizeof(Poller); }

 private:
  struct Poller {
    uint64_t connection;
    int64_t first_ms;
    int64_t last_ms;
  };
  static bool Polls(const Poller& poller, int64_t now_ms) {
    return now_ms - poller.last_ms < kStillPollsMs;
  }

  static constexpr int64_t kNoTurn = std::numeric_limits<int64_t>::min() / 2;

  std::vector<Poller> pollers_;      ///< the oldest first
  int64_t turn_began_ms_ = kNoTurn;  ///< of the latest, if nobody took it
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_PLAIN_POLLERS_H_
