#ifndef CLOAKROOM_STORAGE_CHANGES_WATCH_H_
#define CLOAKROOM_STORAGE_CHANGES_WATCH_H_

#include <atomic>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "storage/base/string_map.h"

namespace cloakroom {

/// The WATCH state of one client: set by whichever thread changes a key that it watches, read by
/// the client's own thread at EXEC, while it holds the stripes of all these keys.
struct Watcher {
  std::atomic<bool> dirty = false;
};

/// Who watches which key of a stripe. Thread rule: the lock of the stripe that owns it.
class WatchTable {
 public:
  bool empty() const { return watchers_.empty(); }

  /// `expired`: the key was past its time already, so that its removal is no change.
  void Add(std::string_view key, Watcher* watcher, bool expired) {
    watchers_[key].push_back({watcher, expired});
  }
  void Remove(std::string_view key, Watcher* watcher) {
    auto found = watchers_.find(key);
    if (found == watchers_.end()) return;
    auto& list = found->second;
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i].watcher == watcher) {
        list.erase(list.begin() + static_cast<ptrdiff_t>(i));
        break;
      }
    }
    if (list.empty()) watchers_.erase(found);
  }
  void Signal(std::string_view key, bool by_expiry) {
    auto found = watchers_.find(key);
    if (found == watchers_.end()) return;
    for (const Watched& watched : found->second) {
      if (!(by_expiry && watched.expired)) watched.watcher->dirty.store(true);
    }
  }
  /// Whether the key was past its time already when this client began to watch it.
  bool WasExpired(std::string_view key, const Watcher* watcher) const {
    auto found = watchers_.find(key);
    if (found == watchers_.end()) return false;
    for (const Watched& watched : found->second) {
      if (watched.watcher == watcher) return watched.expired;
    }
    return false;
  }
  template <typename Exists>
  void SignalIf(Exists&& exists) {
    for (auto& [key, list] : watchers_) {
      if (!exists(key)) continue;
      for (const Watched& watched : list) watched.watcher->dirty.store(true);
    }
  }

 private:
  struct Watched {
    Watcher* watcher;
    bool expired;
  };
  StringMap<absl::InlinedVector<Watched, 2>> watchers_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_WATCH_H_
