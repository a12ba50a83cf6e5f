#ifndef CLOAKROOM_STORAGE_KEYSPACE_KEYSPACE_H_
#define CLOAKROOM_STORAGE_KEYSPACE_KEYSPACE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/clock.h"
#include "storage/changes/change_feed.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/settings.h"
#include "storage/values/encoding_limits.h"

namespace cloakroom {

class KeyGuard;
class Reclaimer;
class Snapshot;

/// All logical databases of a server, with what they share: settings, clock, counters, and the
/// thread that frees large values.
///
/// Thread rule: any thread; the databases themselves through a Hold (hold.h).
class Keyspace {
 public:
  struct Options {
    int databases = 16;
    /// Event-loop threads. Every gate has one more slot, for all other threads.
    int event_loops = 1;
  };

  /// `clock` must outlive the keyspace.
  Keyspace(const Options& options, const Clock& clock);
  ~Keyspace();

  Database& db(int index) { return *databases_[static_cast<size_t>(index)]; }
  const Database& db(int index) const { return *databases_[static_cast<size_t>(index)]; }
  /// All of them, by number.
  std::span<Database* const> databases() const { return all_; }
  int database_count() const { return static_cast<int>(databases_.size()); }

  /// The slot of threads that are not event loops; they may wait at gates.
  GateSlot background_slot() const { return event_loops_; }

  const Clock& clock() const { return clock_; }
  StorageSettings& settings() { return settings_; }
  Reclaimer& reclaimer() { return *reclaimer_; }
  Snapshot& snapshot() { return *snapshot_; }
  const EncodingLimits& encoding_limits() const { return settings_.encoding; }

  /// All changes go here.
  ChangeFeed& feed() { return feed_; }
  const ChangeFeed& feed() const { return feed_; }

  /// Null: no session's lock is ever known. Set it before the first command.
  KeyGuard* key_guard() const { return key_guard_; }
  void set_key_guard(KeyGuard* guard) { key_guard_ = guard; }

  /// Memory that maxmemory does not count, as Redis does not count its log's buffer and what a
  /// saving child keeps: changes not yet on the disk, and a snapshot's pre-images. It is soon free
  /// again and has limits of its own; keys are not evicted for it.
  int64_t uncounted_bytes() const;

  /// Changes since the process began, of keys and by FLUSHALL and its kin; others go on counting.
  int64_t changes() const;

  /// On other cache lines than what every command reads.
  struct alignas(64) Counters {
    std::atomic<int64_t> flush_changes = 0;  ///< those of no single key
    std::atomic<int64_t> expired = 0;
    std::atomic<int64_t> expired_fields = 0;
    std::atomic<int64_t> evicted = 0;
  };
  Counters& counters() { return counters_; }

 private:
  // Every command reads these, and nobody writes them while commands run.
  const Clock& clock_;
  const int event_loops_;
  StorageSettings settings_;
  ChangeFeed feed_;
  KeyGuard* key_guard_ = nullptr;
  // Some commands write these, each on cache lines of its own.
  Counters counters_;
  // Only read again.
  alignas(64) const std::unique_ptr<Reclaimer> reclaimer_;
  const std::unique_ptr<Snapshot> snapshot_;
  // Last, since they are destroyed first and leave to the others what they hold.
  std::vector<std::unique_ptr<Database>> databases_;
  std::vector<Database*> all_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_KEYSPACE_H_
