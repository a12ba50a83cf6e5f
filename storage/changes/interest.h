#ifndef CLOAKROOM_STORAGE_CHANGES_INTEREST_H_
#define CLOAKROOM_STORAGE_CHANGES_INTEREST_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "storage/base/string_map.h"

namespace cloakroom {

class Database;
class Hold;
struct KeyHash;

/// The WATCH state of one client. Any thread that changes a watched key sets it; the client's own
/// thread reads it at EXEC, while it holds the stripes of all these keys.
struct Watcher {
  std::atomic<bool> dirty = false;
};

/// A request that is parked until a change makes one of its keys ready: BLPOP and its like.
///
/// A command that changes such a key serves the waiters before its hold ends, so that no other
/// command comes between; it serves them in the order of their arrival. A waiter is settled once: a
/// writer serves it, or its own thread ends it by a time limit or by CLIENT UNBLOCK, whichever is
/// first.
///
/// Thread rule: any thread.
class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  enum class Verdict : uint8_t {
    kServed,    ///< this call settled it; its reply is ready
    kNotForMe,  ///< this waiter does not wait for what the key holds: ask the next one
    kNotReady,  ///< nothing is left: ask only those that must hear that (Place::hears_removal)
  };

  virtual ~Waiter() = default;
  /// A key that it waits for was changed. `hold`, the writer's, has the key's stripe. Does the
  /// request's work if the key allows it and Settle() returns true.
  virtual Verdict Serve(Hold& hold, Database& db, std::string_view key, KeyHash hash) = 0;
  /// Called after kServed, when the writer's hold has given everything back. The reply may be sent
  /// when the log is durable up to `durable_from`.
  virtual void Wake(int64_t durable_from) = 0;

  bool settled() const { return settled_.load(std::memory_order_acquire); }
  /// True for the first caller, which decides what the reply is.
  bool Settle() { return !settled_.exchange(true, std::memory_order_acq_rel); }

 private:
  std::atomic<bool> settled_ = false;
};

/// The interest in the keys of a stripe: clients that watch them, and requests that wait for them.
///
/// Thread rule: the lock of the stripe that owns it.
class InterestTable {
 public:
  bool empty() const { return keys_.empty(); }

  /// `expired`: the key's expiry has passed already, so its removal is no change.
  void Watch(std::string_view key, Watcher* watcher, bool expired) {
    keys_[key].watched.push_back({watcher, expired});
  }
  void Unwatch(std::string_view key, const Watcher* watcher);
  /// Whether the key's expiry had passed already when this client began to watch it.
  bool WasExpired(std::string_view key, const Watcher* watcher) const;
  /// `gone`: the key is there no more, which is nothing new to those who found it expired.
  void SignalWatchers(std::string_view key, bool gone);
  /// Marks all clients that watch a key for which `exists` is true.
  template <typename Exists>
  void SignalWatchersIf(Exists&& exists) {
    for (auto& [key, interest] : keys_) {
      if (interest.watched.empty() || !exists(key)) continue;
      for (const Watched& watched : interest.watched) watched.watcher->dirty.store(true);
    }
  }

  /// A waiter's place in the queue of one key. Neither may move or be destroyed while queued.
  struct Place {
    Waiter* waiter = nullptr;
    /// The stripe of a key that serving the waiter changes besides: whoever holds this one also
    /// takes that one (Hold). Null: none.
    std::optional<uint32_t> also_held;
    /// It is also served when the key is gone.
    bool hears_removal = false;
    Place* before = nullptr;
    Place* behind = nullptr;
    bool queued = false;
  };
  /// Appends it to the key's queue.
  void Enqueue(std::string_view key, Place* place);
  /// Removes it from the key's queue, if it is there.
  void Leave(std::string_view key, Place* place);
  /// True: a waiter waits for the key, and the key has not been marked since it was last unmarked,
  /// so the command that changed it must serve the waiters.
  bool MarkReady(std::string_view key);
  void UnmarkReady(std::string_view key);
  /// The first waiter that is not settled, or null. `behind`: start behind this one.
  Place* FirstWaiting(std::string_view key, const Place* behind = nullptr) const;
  /// The first one behind `behind` that hears of a removal and is not settled, or null. O(1) if the
  /// queue has none.
  Place* FirstHearingRemoval(std::string_view key, const Place* behind) const;
  /// Whether serving the waiters takes other stripes; `visit` gets the number of each.
  bool needs_others() const { return !also_held_.empty(); }
  template <typename Visit>
  void ForEachOther(Visit&& visit) const {
    for (const auto& [stripe, waiters] : also_held_) visit(stripe);
  }
  /// Calls `visit` with every key that a request waits for.
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
    Place* first = nullptr;  ///< the queue of waiters
    Place* last = nullptr;
    size_t hearing_removal = 0;  ///< places in the queue
    bool ready = false;
    bool empty() const { return watched.empty() && first == nullptr; }
  };
  StringMap<Interest> keys_;
  /// How many places have each number.
  absl::flat_hash_map<uint32_t, size_t> also_held_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_INTEREST_H_
