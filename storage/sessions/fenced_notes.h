#ifndef CLOAKROOM_STORAGE_SESSIONS_FENCED_NOTES_H_
#define CLOAKROOM_STORAGE_SESSIONS_FENCED_NOTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// Why a fence is not good any more.
enum class FencedReason : uint8_t {
  kBroken,   ///< the lease was over and somebody waited, or an operator broke the lock
  kTaken,    ///< a plain client took the lock
  kChanged,  ///< somebody wrote without the lock
  kDeleted,  ///< the session was deleted or replaced
  kUnknown,  ///< not known here: before a restart, too long ago, or never given
};

/// "broken", "taken", "changed", "deleted", "unknown": the word behind FENCED.
std::string_view FencedReasonName(FencedReason reason);

/// The answer to a client whose fence is not good.
struct Fenced {
  FencedReason reason = FencedReason::kUnknown;
  std::string by = {};   ///< who did it; empty: not known
  int64_t after_ms = 0;  ///< how long the lock had been held then; 0: not known
  std::string by_req = {};
  // Who had the lock.
  std::string owner = {};
  std::string req = {};
};

/// Why the latest holders of a stripe's locks lost them, for when they commit. A record of a lock
/// does not stay for that.
///
/// Keeps the latest kMost for kKeepMs; about 13 KB at most, if all texts are as long as they may
/// be. Besides, the latest kMostSpent fences that are spent, and as many sessions that were
/// destroyed, 5 KB.
///
/// Thread rule: the stripe is held, or the gate closed.
class FencedNotes {
 public:
  static constexpr size_t kMost = 16;
  static constexpr size_t kMostSpent = 128;
  /// Longer than any request takes.
  static constexpr int64_t kKeepMs = 600'000;

  /// `now_ms`: of the monotonic clock.
  void Note(int64_t fence, Fenced fenced, int64_t now_ms);
  /// Null: not known. Valid until the next change.
  const Fenced* Find(int64_t fence) const;
  /// The fence has made a session, or its session was deleted while it had the lock, which Note()
  /// knows. A commit with it must make no session any more, and no version says so: that of a
  /// session which is not there is always "0-0".
  void NoteSpent(int64_t fence, int64_t now_ms);
  bool Spent(int64_t fence) const;
  /// The session was destroyed, or was not there and is to stay so: no fence up to `last`, the
  /// latest so far, may make it.
  void NoteDestroyed(std::string_view key, int64_t last, int64_t now_ms);
  bool Destroyed(std::string_view key, int64_t fence) const;
  /// Drops what is older than kKeepMs.
  void Forget(int64_t now_ms);

  bool empty() const { return notes_.empty() && spent_.empty() && destroyed_.empty(); }
  /// The memory that it has allocated.
  size_t bytes() const;

 private:
  struct Kept {
    int64_t fence;
    int64_t at_ms;
    Fenced fenced;
  };
  struct Spending {
    int64_t fence;
    int64_t at_ms;
  };
  struct Destruction {
    uint64_t key_hash;
    int64_t last;
    int64_t at_ms;
  };
  // The oldest first.
  std::vector<Kept> notes_;
  std::vector<Spending> spent_;
  std::vector<Destruction> destroyed_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_FENCED_NOTES_H_
