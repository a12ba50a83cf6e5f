#ifndef CLOAKROOM_STORAGE_KEYSPACE_EXPIRY_INDEX_H_
#define CLOAKROOM_STORAGE_KEYSPACE_EXPIRY_INDEX_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/base/clock.h"

namespace cloakroom {

/// Tells which parts of a table may hold entries that are due, for a quarter of a byte per entry.
///
/// Buckets form groups of 16. The index keeps a *lower bound* of the expiries in each group, in
/// ticks of 128 ms. A new expiry lowers the bound. Prolonging or removing one leaves the bound too
/// low; this costs one look at the group when the bound is due, which makes it exact. So EXPIRE
/// costs a comparison, and nothing that is due is ever missed.
///
/// Thread rule: the lock of the stripe that owns it.
class ExpiryIndex {
 public:
  static constexpr size_t kGroupBuckets = 16;

  void Resize(size_t buckets) {
    groups_.resize((buckets + kGroupBuckets - 1) / kGroupBuckets, kNeverTick);
  }
  size_t groups() const { return groups_.size(); }

  void Note(size_t bucket, int64_t due_ms) {
    uint32_t tick = TickOf(due_ms);
    uint32_t& group = groups_[bucket / kGroupBuckets];
    group = std::min(group, tick);
    first_ = std::min(first_, tick);
  }
  /// Whatever is due in the group of `from` may now be in that of `to`.
  void Inherit(size_t from, size_t to) {
    uint32_t& group = groups_[to / kGroupBuckets];
    group = std::min(group, groups_[from / kGroupBuckets]);
  }

  bool MayBeDue(size_t group, int64_t now_ms) const { return groups_[group] <= TickOf(now_ms); }
  bool AnyMayBeDue(int64_t now_ms) const { return first_ <= TickOf(now_ms); }

  /// After a look at the whole group: its first entry is due at `due_ms`; kNever: none is.
  void SetGroup(size_t group, int64_t due_ms) {
    groups_[group] = due_ms == kNever ? kNeverTick : TickOf(due_ms);
  }
  /// After a look at all groups that may be due.
  void RecomputeFirst() {
    first_ = kNeverTick;
    for (uint32_t tick : groups_) first_ = std::min(first_, tick);
  }
  int64_t FirstDueMs() const {
    return first_ == kNeverTick ? kNever : kBaseMs + (static_cast<int64_t>(first_) << kTickShift);
  }
  size_t bytes() const { return groups_.capacity() * sizeof(uint32_t); }

 private:
  static constexpr uint32_t kNeverTick = UINT32_MAX;
  static constexpr int kTickShift = 7;
  /// Ticks count from 2024-01-01. Their 32 bits end in 2041; the index reports later expiries as
  /// due then.
  static constexpr int64_t kBaseMs = 1'704'067'200'000;

  /// Rounds down, so that a bound remains a lower bound.
  static uint32_t TickOf(int64_t ms) {
    int64_t tick = (ms - kBaseMs) >> kTickShift;
    return static_cast<uint32_t>(std::clamp<int64_t>(tick, 0, int64_t{kNeverTick} - 1));
  }

  std::vector<uint32_t> groups_;
  uint32_t first_ = kNeverTick;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_EXPIRY_INDEX_H_
