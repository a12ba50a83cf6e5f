#ifndef CLOAKROOM_STORAGE_KEYSPACE_TABLE_H_
#define CLOAKROOM_STORAGE_KEYSPACE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/keyspace/entry.h"
#include "storage/keyspace/expiry_index.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// A hash table of entries that grows and shrinks by one bucket at a time (linear hashing), so no
/// operation ever pays for a whole rehash.
///
/// A bucket is one cache line: seven one-byte tags and seven entry pointers. When it is full, its
/// last pointer leads to an overflow bucket. Buckets live in segments of 64 (4 KB).
///
/// Invariants, with 2^level <= bucket_count < 2^(level+1):
///  - an entry is in the chain of bucket AddressOf(hash): the low level+1 bits of its hash, or the
///    low `level` bits where that bucket does not exist yet;
///  - the mean chain is at most kMaxLoad entries long, and the table shrinks below kMinLoad;
///  - ExpiryIndex holds, for each group of buckets, a time not after the first expiry in it.
///
/// Thread rule: the lock of the stripe that owns it. Addresses of slots are valid until the next
/// Insert or Erase.
class Table {
 public:
  Table() = default;
  Table(Table&& other) noexcept { swap(other); }
  Table& operator=(Table&& other) noexcept;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  /// REQUIRES: empty (see TakeAll), since a table cannot free values.
  ~Table();

  size_t size() const { return size_; }
  void swap(Table& other) noexcept;

  /// The slot that holds the key's entry, or null.
  Entry** Find(std::string_view key, KeyHash hash);

  /// Adds an entry whose key is not in the table, and returns its slot.
  Entry** Insert(Entry* entry, KeyHash hash);

  /// Removes the entry; the caller then owns it. REQUIRES: `slot` came from Find or Insert.
  Entry* Erase(Entry** slot, KeyHash hash);

  /// Starts to fetch into the cache what Find will look at. It takes turns, since each needs what
  /// the one before fetched: the bucket of the hash; then its entries that may match, and the
  /// bucket chained behind it; then the same for that one, and so on. False: there is no next turn.
  bool Prefetch(KeyHash hash, int turn) const;

  /// Tells the expiry index that the entry of this hash is due at `due_ms` or later.
  void NoteDue(KeyHash hash, int64_t due_ms);

  /// Visits the buckets at a position in hash space and returns the next position, 0 after the
  /// last. Visits entries present during a whole scan exactly once, whatever the table does
  /// meanwhile; others at most once, unless they are removed and inserted again. The position is
  /// the bucket number with its bits reversed, 48 bits wide, so that the buckets that a split makes
  /// follow the one they came from.
  uint64_t Scan(uint64_t position, absl::FunctionRef<void(Entry*)> visit) const;

  /// Visits all entries. `visit` must not change the table.
  void ForEach(absl::FunctionRef<void(Entry*)> visit) const;

  /// An entry drawn almost uniformly, or null if the table is empty.
  Entry* Random(absl::BitGenRef random) const;

  /// The result of one slice of the expirer's work, see CollectDue.
  struct DueSlice {
    bool finished = true;  ///< nothing else is due
    size_t visited = 0;    ///< buckets looked at
  };
  /// Calls `due` for the entries of at most `max_groups` groups that may be due at `now_ms`. `due`
  /// returns the time at which the entry is next due (kNever); it must not change the table.
  DueSlice CollectDue(int64_t now_ms, size_t max_groups, absl::FunctionRef<int64_t(Entry*)> due);
  /// A time not after the first expiry in the table; kNever if there is none.
  int64_t FirstDueMs() const { return expiry_.FirstDueMs(); }

  /// Bytes of buckets and directory, without entries.
  size_t overhead_bytes() const;
  size_t bucket_count() const { return bucket_count_; }

 private:
  static constexpr size_t kSlots = 7;
  static constexpr size_t kSegmentBuckets = 64;
  static constexpr size_t kMaxLoad = 5;
  static constexpr size_t kMinLoad = 2;
  static constexpr int kPositionBits = 48;

  struct Bucket;

  size_t AddressOf(KeyHash hash) const;
  Bucket& At(size_t index) const;
  void AddBucket();
  void RemoveLastBucket();
  void SplitNext();
  void MergeLast();
  Entry** Place(Bucket& head, Entry* entry, uint8_t tag);
  void FreeChain(Bucket& head);

  std::vector<Bucket*> segments_;
  size_t first_segment_capacity_ = 0;
  size_t bucket_count_ = 0;
  size_t overflow_count_ = 0;
  size_t size_ = 0;
  int level_ = 0;
  ExpiryIndex expiry_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_TABLE_H_
