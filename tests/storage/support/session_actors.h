#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_ACTORS_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_ACTORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/sessions/session_queue.h"

namespace cloakroom {

/// A native client of SessionWorld, and what it knows of its session.
struct NativeActor {
  /// Unsure: it has lost its connection, or never had the lock, and will commit by the version.
  enum class Is : uint8_t { kIdle, kWaiting, kHolding, kUnsure };

  Is is = Is::kIdle;
  std::string owner;
  uint64_t connection = 0;
  std::unique_ptr<SessionWaiter> waiter;
  size_t at = 0;
  int64_t fence = 0;
  // What it has read.
  std::string version;
  int64_t data = 0;
  int64_t writes = 0;      ///< the data that it will commit, or 0: none. A repeat sends the same
  bool expired = false;    ///< what it has read is gone, and it holds the lock still
  bool committed = false;  ///< it does not know, since the reply was lost
  // Which spent fence its own was, when it wrote, and when its session was deleted; 0: none.
  int64_t wrote_at = 0;
  int64_t deleted_at = 0;
};

/// A plain client of SessionWorld.
struct PlainActor {
  enum class Is : uint8_t { kIdle, kPolling, kParked, kHolding, kCounting };

  Is is = Is::kIdle;
  std::string pid;
  uint64_t connection = 0;
  size_t at = 0;
  int polls = 0;
  int64_t next_poll_ms = 0;
  int64_t data = 0;
  std::unique_ptr<SessionWaiter> waiter;  ///< of a poll that is parked
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_SESSION_ACTORS_H_
