#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_HASH_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_HASH_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace cloakroom {

/// What the lock count says while a native client's lock is published. No HINCRBY by 1 can then
/// read 1, which is how a plain client would know that the lock is its own.
inline constexpr int64_t kPublishedLock = 1'000'000;

/// What a session's hash says about its lock. The caller reads it from the hash, since this room
/// knows no field names. A count that is absent or no integer is 0.
struct SessionHash {
  bool exists = false;  ///< false: the key is not there, or holds no hash
  int64_t lock = 0;
  int64_t writes = 0;         ///< how often the content was written
  std::string_view pid = {};  ///< who took the lock or wrote last; valid for the call
  std::string_view req = {};  ///< its request; valid for the call

  /// A plain client holds the lock.
  bool plain() const { return lock >= 1 && lock < kPublishedLock; }
  /// A native client's lock is published. If no native client of this process holds it, the lock is
  /// an orphan: of a process that has ended, or of another server.
  bool published() const { return lock >= kPublishedLock; }
  /// The fence of the latest native commit; 0 if a plain client wrote last, or nobody.
  int64_t commit_fence() const;
};

/// The parts of a hash's pid: "host|pid" as plain clients write it, "host|pid|fence" as native ones
/// do. The fence is that of the latest native commit.
struct SessionPid {
  std::string_view owner;  ///< "host|pid"; a part of the text
  int64_t fence = 0;       ///< 0: none

  /// A last part is a fence if it is an integer from 0 to kMaxFence in its canonical form and there
  /// are at least two parts before it.
  static SessionPid Parse(std::string_view text);
};

/// "host|pid|fence". An owner without "|" gets a 0 for its pid, so that Parse finds the fence.
std::string FormatSessionPid(std::string_view owner, int64_t fence);

/// By what clients know a content: "writes-fence", the fence being that of the latest native
/// commit. "0-0": no session; "0-0+": one that nobody has counted a write of. Clients compare it
/// and do not look inside. At most 40 bytes.
class SessionVersion {
 public:
  SessionVersion(int64_t writes, int64_t fence);
  explicit SessionVersion(const SessionHash& hash);

  /// Valid as long as this object.
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[40];  // "-9223372036854775808-9007199254740991" has 37
  uint8_t size_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_HASH_H_
