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
#include "storage/sessions/session_locks.h"

namespace cloakroom {

class Hold;
class Keyspace;

/// A 256th of a logical database: the keys whose hash begins with its number.
struct alignas(64) Stripe {
  Mutex mutex;
  Table table ABSL_GUARDED_BY(mutex);
  InterestTable interests ABSL_GUARDED_BY(mutex);
  SessionLocks sessions ABSL_GUARDED_BY(mutex);
  /// The size of the table; written under the lock, read by any thread as an estimate.
  std::atomic<size_t> keys = 0;
  std::atomic<size_t> expires = 0;
  std::atomic<size_t> field_expires = 0;   ///< hashes with fields that expire
  std::atomic<size_t> member_expires = 0;  ///< sets with members that expire
  /// Changes of its keys since the process began. Counted per stripe, because threads that count in
  /// one place delay each other.
  std::atomic<int64_t> changes = 0;
  /// The log's offset behind the last change that others may see here; kept if readers wait for the
  /// disk (ChangeLog). Written and read under the lock.
  std::atomic<int64_t> logged = 0;

  /// Which of the two counts the entry; null: none of its items expires.
  std::atomic<size_t>* CounterOf(const Entry& entry) {
    if (!entry.has_field_expiry()) return nullptr;
    return entry.has_hash_field_expiry() ? &field_expires : &member_expires;
  }
};

/// Tells the thread-safety analysis that a stripe is held: by its lock, or because the gate is
/// closed around its whole database (hold.h). Which of them depends on the command, so the compiler
/// cannot follow it; only Hold takes either.
inline void AssertHeld(const Stripe& stripe) ABSL_ASSERT_EXCLUSIVE_LOCK(stripe.mutex) {
  static_cast<void>(stripe);
}

/// One logical database: a gate, and stripes with the keys.
///
/// Thread rules: every access passes the gate (hold.h). Functions marked HELD also need the key's
/// stripe, or the gate closed. The others lock the stripes themselves, one at a time, so the caller
/// must not hold one.
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
  /// The sum over all stripes, while other threads go on counting.
  int64_t changes() const;

  /// As Stripe::logged, for changes under a closed gate. Written by the thread that has closed it.
  int64_t logged() const { return logged_.load(std::memory_order_relaxed); }
  void set_logged(int64_t offset) { logged_.store(offset, std::memory_order_relaxed); }
  /// Sees the changes of all stripes, for a command that read without locks how many keys there
  /// are. No change is half-way through then. False: a stripe is occupied for longer than a moment.
  /// If readers need not wait, does nothing and locks nothing.
  bool TrySeeAll(Hold& hold);

  /// HELD. Records an access of an entry for eviction: the counter under an LFU policy, the clock
  /// under any other.
  void NoteAccess(Entry& entry, int64_t now_ms, absl::BitGenRef random) const;

  /// HELD.
  void Watch(std::string_view key, KeyHash hash, Watcher* watcher, int64_t now_ms);
  void Unwatch(std::string_view key, KeyHash hash, Watcher* watcher);
  /// HELD. True if the key has expired, is not yet removed, and had not expired when watched.
  bool ExpiredSinceWatch(std::string_view key, KeyHash hash, const Watcher* watcher,
                         int64_t now_ms);

  /// Estimates while other threads write.
  size_t size() const;
  size_t expires() const;
  /// How many have items that expire.
  size_t item_expires() const;
  bool has_field_expiry() const;

  /// The number that the database's contents had at the instant of the latest snapshot; SWAPDB
  /// swaps it along with them. Written with the gate closed, so it cannot change during a pass.
  int snapshot_number() const { return snapshot_number_.load(std::memory_order_relaxed); }
  void set_snapshot_number(int number) { snapshot_number_ = number; }

  /// One step of SCAN: visits the entries of about `count` buckets and returns the next cursor, 0
  /// at the end. Cursors fit a signed 64-bit integer. Also visits expired entries.
  uint64_t Scan(Hold& hold, uint64_t cursor, size_t count,
                absl::FunctionRef<void(const Entry&)> visit);

  /// The same for event loops: stops at a stripe that is occupied for longer than a moment; nullopt
  /// if it has made no step by then.
  std::optional<uint64_t> TryScan(Hold& hold, uint64_t cursor, size_t count,
                                  absl::FunctionRef<void(const Entry&)> visit);

  /// A live key, drawn almost uniformly.
  struct Drawn {
    std::optional<std::string> key;
    bool occupied = false;  ///< a stripe was occupied: without a key, try again
  };
  Drawn RandomKey(Hold& hold, absl::BitGenRef random, int64_t now_ms);

  /// Mean time to live in ms of a sample of the keys that expire, for INFO; 0 if none do.
  int64_t SampleTtlMs(absl::BitGenRef random, int64_t now_ms);

 private:
  /// Stops at a stripe that is occupied for longer than `until`.
  std::optional<uint64_t> ScanUntil(Hold& hold, uint64_t cursor, size_t count, Gate::Time until,
                                    absl::FunctionRef<void(const Entry&)> visit);
  uint32_t RandomStripe(absl::BitGenRef random) const;
  /// The caller reads stripes with a pass alone, and readers wait for the disk.
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
