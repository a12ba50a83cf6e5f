#ifndef CLOAKROOM_SERVER_SCRIPT_SCRIPT_CACHE_H_
#define CLOAKROOM_SERVER_SCRIPT_SCRIPT_CACHE_H_

#include <atomic>
#include <list>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "server/script/script.h"  // IWYU pragma: export
#include "storage/base/mutex.h"
#include "storage/base/string_map.h"

namespace cloakroom {

/// All scripts that clients sent, shared by the event-loop threads: EVALSHA finds them by SHA1,
/// EVAL by their text, so that a known text is hashed once, but neither compiled nor digested
/// again.
///
/// Scripts that came by SCRIPT LOAD stay until Flush. Scripts that came only by EVAL are limited:
/// beyond kMaxEvalScripts the least recently used is removed, as in Redis 7.4. A Script that a
/// caller holds stays usable whatever happens to the cache. Any thread.
class ScriptCache {
 public:
  static constexpr std::size_t kMaxEvalScripts = 500;

  /// By SHA1 in hex, upper or lower case. nullptr: unknown. Counts as a use.
  ScriptPtr Find(std::string_view sha) ABSL_LOCKS_EXCLUDED(mutex_);

  /// By the full text. nullptr: unknown. Counts as a use.
  ScriptPtr FindText(std::string_view text) ABSL_LOCKS_EXCLUDED(mutex_);

  /// Adds a script and returns the cached one, which is an older one if its text was known.
  /// `pinned`: it came by SCRIPT LOAD (or from disk) and is never evicted; pins a known one too.
  ScriptPtr Add(ScriptPtr script, bool pinned) ABSL_LOCKS_EXCLUDED(mutex_);

  /// Forgets every script and returns them, so that SCRIPT FLUSH ASYNC can free them elsewhere.
  std::vector<ScriptPtr> Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  /// All pinned scripts, in no particular order: these have to survive a restart.
  std::vector<ScriptPtr> Pinned() const ABSL_LOCKS_EXCLUDED(mutex_);

  /// Changes with every Flush; engines then drop their compiled functions.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::size_t size() const ABSL_LOCKS_EXCLUDED(mutex_);          ///< INFO number_of_cached_scripts
  std::size_t memory_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);  ///< INFO used_memory_scripts_eval

 private:
  struct Slot {
    ScriptPtr script;
    bool pinned;
    std::list<const Script*>::iterator use;  ///< valid unless pinned
  };

  void Touch(Slot* slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EvictOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<std::uint64_t> generation_{1};
  mutable Mutex mutex_;
  /// The keys of both maps point into the scripts that by_sha_ holds.
  absl::flat_hash_map<std::string_view, Slot, StringViewHash, std::equal_to<>> by_sha_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string_view, const Script*, StringViewHash, std::equal_to<>> by_text_
      ABSL_GUARDED_BY(mutex_);
  std::list<const Script*> uses_ ABSL_GUARDED_BY(mutex_);  ///< unpinned, last used first
  std::size_t memory_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SCRIPT_SCRIPT_CACHE_H_
