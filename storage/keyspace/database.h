#ifndef CLOAKROOM_STORAGE_KEYSPACE_DATABASE_H_
#define CLOAKROOM_STORAGE_KEYSPACE_DATABASE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/base/mutex.h"
#include "storage/changes/change_log.h"
#include "storage/changes/interest.h"
#include "storage/gate/gate.h"
#include "storage/keyspace/entry.h"
#include "storage/keyspace/key_hash.h"
#include "storage/keyspace/table.h"

namespace cloakroom {

class Hold;
class Keyspace;

/// A 256th of a logical database: the keys whose hash begins with its number.
struct alignas(64) Stripe {
  Mutex mutex;
  Table table ABSL_GUARDED_BY(mutex);
  InterestTable interests ABSL_GUARDED_BY(mutex);
  /// Of the table; written under the lock, read by anyone for an estimate.
  std::atomic<size_t> keys = 0;
  std::atomic<size_t> expires = 0;
  std::atomic<size_t> field_expires = 0;  ///< hashes with fields that expire
  /// Of its keys, since the process began. Here, and not in one place for all, because threads that
  /// count in the same place hold each other up.
  std::atomic<int64_t> changes = 0;
  /// In the log of changes, the offset behind the last one that somebody may see here; kept where
  /// readers wait for the disk (ChangeLog). Written and read under the lock.
  std::atomic<int64_t> logged = 0;
};

/// Tells the thread-safety analysis that a stripe is held: by its lock, or because the gate is
/// closed around its whole database (hold.h). Which of them depends on the command, so the
/// compiler cannot follow it; Hold is the only class that takes either.
inline void AssertHeld(const Stripe& stripe) ABSL_ASSERT_EXCLUSIVE_LOCK(stripe.mutex) {
  static_cast<void>(stripe);
}

/// One logical database: a gate, and stripes with the keys.
///
/// Thread rules: every access passes the gate (hold.h). Functions marked HELD need the stripe of
/// the key besides, or the gate closed; the others take the stripes' locks themselves, one at a
/// time, and so must not be called with one held.
class Database {
 public:
  static constexpr uint32_t kStripes = 256;

  Database(int index, int gate_slots, Keyspace& keyspace);

  int index() const { return index_; }
  Gate& gate() { return gate_; }
  const Gate& gate() const { return gate_; }
  Keyspace& keyspace() { return keyspace_; }
  Stripe& stripe(uint32_t i) { return stripes_[i]; }
  Stripe& StripeOf(KeyHash hash) { return stripes_[hash.stripe()]; }
  /// Of all stripes, while others go on counting.
  int64_t changes() const;

  /// As Stripe::logged, of the changes under a closed gate. Written by who has closed it.
  int64_t logged() const { return logged_.load(std::memory_order_relaxed); }
  void set_logged(int64_t offset) { logged_.store(offset, std::memory_order_relaxed); }
  /// For all stripes, where something was read without locks: how many keys there are.
  /// Nobody's change is half-way through then. False: a stripe is occupied for longer than a
  /// moment. Nothing is done, nor locked, where readers need not wait.
  bool TrySeeAll(Hold& hold);

  /// HELD. Notes an access of an entry for eviction: at all times the clock, under an LFU policy
  /// the counter.
  void NoteAccess(Entry& entry, int64_t now_ms, absl::BitGenRef random) const;

  /// HELD.
  void Watch(std::string_view key, KeyHash hash, Watcher* watcher, int64_t now_ms);
  void Unwatch(std::string_view key, KeyHash hash, Watcher* watcher);
  /// HELD. True when the key is past its time, not yet removed, and was alive when watched.
  bool ExpiredSinceWatch(std::string_view key, KeyHash hash, const Watcher* watcher,
                         int64_t now_ms);

  /// Estimates while others write.
  size_t size() const;
  size_t expires() const;
  bool has_field_expiry() const;

  /// The number that the contents of the database had at the instant of the latest snapshot: SWAPDB
  /// takes it along. Written with the gate closed, so it stands still for whoever has passed that.
  int snapshot_number() const { return snapshot_number_.load(std::memory_order_relaxed); }
  void set_snapshot_number(int number) { snapshot_number_ = number; }

  /// One step of SCAN: visits the entries of about `count` buckets and returns the next cursor, 0
  /// at the end. Cursors fit a signed 64-bit integer. Expired entries are visited too.
  uint64_t Scan(Hold& hold, uint64_t cursor, size_t count,
                absl::FunctionRef<void(const Entry&)> visit);

  /// The same for event loops: nullopt when a stripe is occupied for longer than a moment and no
  /// step has been made by then; otherwise it goes as far as it gets.
  std::optional<uint64_t> TryScan(Hold& hold, uint64_t cursor, size_t count,
                                  absl::FunctionRef<void(const Entry&)> visit);

  /// A live key drawn near uniformly.
  struct Drawn {
    std::optional<std::string> key;
    bool occupied = false;  ///< a stripe was: if there is no key, try again
  };
  Drawn RandomKey(Hold& hold, absl::BitGenRef random, int64_t now_ms);

  /// Mean time to live in ms of a sample of the keys that expire, for INFO; 0 without any.
  int64_t SampleTtlMs(absl::BitGenRef random, int64_t now_ms);

 private:
  /// Until a stripe must be waited for longer than `until`.
  std::optional<uint64_t> ScanUntil(Hold& hold, uint64_t cursor, size_t count, Gate::Time until,
                                    absl::FunctionRef<void(const Entry&)> visit);
  uint32_t RandomStripe(absl::BitGenRef random) const;
  /// Stripes that are read by one who has a pass alone, where readers wait for the disk.
  bool ReadersWait() const;

  const int index_;
  std::atomic<int> snapshot_number_;
  std::atomic<int64_t> logged_ = 0;
  Keyspace& keyspace_;
  Gate gate_;
  std::unique_ptr<Stripe[]> stripes_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_DATABASE_H_
