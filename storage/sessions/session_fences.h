#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_FENCES_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_FENCES_H_

#include <atomic>
#include <cstdint>

namespace cloakroom {

/// The greatest fence: 2^53-1, the greatest integer that is exact in PHP, Lua and JavaScript.
inline constexpr int64_t kMaxFence = (int64_t{1} << 53) - 1;

/// Gives each grant of a session's lock its number, the fence: 1 to kMaxFence. A process has one.
///
/// Promises:
/// - No two fences of a process are equal, whatever their keys: RENAME and SWAPDB bring a hash to
///   another key, stripe or database, with the fence of its latest commit. Each is greater than
///   those given before.
/// - A fence is greater than the one in the hash, which the latest commit left there, whatever the
///   clock says: fences stay in order across a restart or a failover with the data that survived. A
///   fence in the hash that is a day or more ahead of the clock was written by somebody else and
///   does not count, so nobody can use up the numbers.
/// - Fences follow the clock, 2,048 for each millisecond, so that a new process begins above the
///   fences of grants that never committed. `start` makes it unlikely that two processes give the
///   same one. Past the year 2109 fences only count on.
///
/// Thread rule: any thread. Takes one compare-and-swap.
class SessionFences {
 public:
  static constexpr int64_t kPerMs = 2048;
  /// `start` is below this: the rest of a millisecond's numbers is for counting on.
  static constexpr int64_t kStarts = 1024;
  static constexpr int64_t kDayMs = 86'400'000;

  /// `start`: drawn at random for the process, 0 to kStarts - 1.
  explicit SessionFences(int64_t start) : start_(start) {}

  /// `wall_ms`: since the Unix epoch. `hash_fence`: the fence in the session's hash; 0 if there is
  /// none.
  int64_t Next(int64_t wall_ms, int64_t hash_fence);

  /// The latest; 0 before the first.
  int64_t last() const { return last_.load(std::memory_order_relaxed); }

 private:
  const int64_t start_;
  std::atomic<int64_t> last_ = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_FENCES_H_
