#ifndef CLOAKROOM_SERVER_METRICS_MONITOR_FEED_H_
#define CLOAKROOM_SERVER_METRICS_MONITOR_FEED_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/session/client.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The commands that ran under one hold, for the monitors. They are formatted later, when no stripe
/// or gate is held. Copies the arguments, which a script or a transaction does not keep.
///
/// Thread rule: its owner's.
class MonitorNotes {
 public:
  bool empty() const { return notes_.empty(); }
  void Add(int64_t unix_us, int db, std::string_view source,
           std::span<const std::string_view> args);

 private:
  friend class MonitorFeed;
  struct Note {
    int64_t unix_us;
    int db;
    std::string source;
    std::vector<std::string> args;
  };
  std::vector<Note> notes_;
};

/// Tells clients in MONITOR mode about every command. Any thread; costs one load while there is
/// none.
///
/// Tell formats, allocates and posts: call it with no stripe or gate held. Several commands that
/// run under one hold go into MonitorNotes, and are told when the hold has ended.
class MonitorFeed {
 public:
  bool active() const { return count_.load(std::memory_order_relaxed) > 0; }

  void Add(std::shared_ptr<ClientLink> link);
  void Remove(const ClientLink* link);

  /// `source` is the client's address, or "lua" for a command that a script runs.
  void Tell(int64_t unix_us, int db, std::string_view source,
            std::span<const std::string_view> args, Pusher push = PushAtOnce);
  /// Tells the notes in order, and clears them.
  void Tell(MonitorNotes& notes, Pusher push = PushAtOnce);

 private:
  std::vector<std::shared_ptr<ClientLink>> Links();

  std::atomic<int> count_ = 0;
  Mutex mutex_;
  std::vector<std::shared_ptr<ClientLink>> links_ ABSL_GUARDED_BY(mutex_);
};

/// The client in a monitor's line: "127.0.0.1:50123", "unix:/run/cloakroom.sock".
std::string MonitorName(const Client& client);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_METRICS_MONITOR_FEED_H_
