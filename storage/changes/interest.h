#ifndef CLOAKROOM_STORAGE_CHANGES_INTEREST_H_
#define CLOAKROOM_STORAGE_CHANGES_INTEREST_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "storage/base/string_map.h"

namespace cloakroom {

class Database;
class Hold;
struct KeyHash;

/// The WATCH state of one client: set by whichever thread changes a key that it watches, read by
/// the client's own thread at EXEC, while it holds the stripes of all these keys.
struct Watcher {
  std::atomic<bool> dirty = false;
};

/// A request that is parked until somebody makes one of its keys ready: BLPOP and its like.
///
/// Whoever changes such a key serves those who wait for it, before the hold ends, so that nobody
/// else gets between; in the order in which they came. A waiter is settled once: served by a
/// writer, or ended by its own thread, by a time limit or by CLIENT UNBLOCK, whoever is first.
///
/// Thread rule: any thread.
class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  enum class Verdict : uint8_t {
    kServed,    ///< it was settled here; its reply is ready
    kNotForMe,  ///< the key is not what this one waits for: the next one is asked
    kNotReady,  ///< nothing is left for anybody
  };

  virtual ~Waiter() = default;
  /// A key that it waits for was changed. `hold`, the writer's, has the key's stripe. Does the
  /// request's work if the key allows it and Settle() answers true.
  virtual Verdict Serve(Hold& hold, Database& db, std::string_view key, KeyHash hash) = 0;
  /// After kServed, when the writer's hold has given everything back. The reply may be sent when
  /// the log is durable up to `durable_from`.
  virtual void Wake(int64_t durable_from) = 0;

  bool settled() const { return settled_.load(std::memory_order_acquire); }
  /// True for the first who calls it: it decides what the reply is.
  bool Settle() { return !settled_.exchange(true, std::memory_order_acq_rel); }

 private:
  std::atomic<bool> settled_ = false;
};

/// Who wants to know of the changes to which key of a stripe: clients that watch it, and requests
/// that wait for it.
///
/// Thread rule: the lock of the stripe that owns it.
class InterestTable {
 public:
  bool empty() const { return keys_.empty(); }

  /// `expired`: the key was past its time already, so that its removal is no change.
  void Watch(std::string_view key, Watcher* watcher, bool expired) {
    keys_[key].watched.push_back({watcher, expired});
  }
  void Unwatch(std::string_view key, const Watcher* watcher);
  /// Whether the key was past its time already when this client began to watch it.
  bool WasExpired(std::string_view key, const Watcher* watcher) const;
  void SignalWatchers(std::string_view key, bool by_expiry);
  /// All who watch a key of which `exists` is true.
  template <typename Exists>
  void SignalWatchersIf(Exists&& exists) {
    for (auto& [key, interest] : keys_) {
      if (interest.watched.empty() || !exists(key)) continue;
      for (const Watched& watched : interest.watched) watched.watcher->dirty.store(true);
    }
  }

  /// A waiter's place in the queue of one key. Neither moves or goes while it is in a queue.
  struct Place {
    Waiter* waiter = nullptr;
    Place* before = nullptr;
    Place* behind = nullptr;
    bool queued = false;
  };
  /// To the end of the key's queue.
  void Enqueue(std::string_view key, Place* place);
  /// Out of it; nothing when it is in none.
  void Leave(std::string_view key, Place* place);
  /// Somebody waits for the key, and it has not been marked since it was last unmarked: whoever has
  /// changed it is to serve them.
  bool MarkReady(std::string_view key);
  void UnmarkReady(std::string_view key);
  /// The first that nobody has settled; null without one. `behind`: from the one behind it on.
  Place* FirstWaiting(std::string_view key, const Place* behind = nullptr) const;
  /// Calls `visit` with every key that somebody waits for.
  template <typename Visit>
  void ForEachAwaited(Visit&& visit) const {
    for (const auto& [key, interest] : keys_) {
      if (interest.first != nullptr) visit(std::string_view(key));
    }
  }

 private:
  struct Watched {
    Watcher* watcher;
    bool expired;
  };
  struct Interest {
    absl::InlinedVector<Watched, 2> watched;
    Place* first = nullptr;  ///< the queue of those who wait
    Place* last = nullptr;
    bool ready = false;
    bool empty() const { return watched.empty() && first == nullptr; }
  };
  StringMap<Interest> keys_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_INTEREST_H_
