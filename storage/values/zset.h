#ifndef CLOAKROOM_STORAGE_VALUES_ZSET_H_
#define CLOAKROOM_STORAGE_VALUES_ZSET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/values/encoding_limits.h"
#include "storage/values/scored_item.h"
#include "storage/values/shared_value.h"
#include "storage/values/type_ops.h"
#include "storage/values/value.h"
#include "storage/values/zset_tree.h"

namespace cloakroom {

/// Its row (type_ops.h).
extern const TypeOps kZsetOps;

/// A sorted set as readers see it: members in ascending order of score, then of member. A small one
/// is a count (uint32) and a run of scored items, a large one a ZsetTree. A default-constructed
/// Zset is absent, and empty. Valid until the sorted set changes; the caller holds the stripe's
/// lock, or a SharedValue. Items passed to a callback are valid only during the call.
///
/// Ranks count from 0. A range of scores or of members is found as the ranks of its ends.
class Zset {
 public:
  static constexpr ValueType kType = ValueType::kZset;

  Zset() = default;
  Zset(Encoding encoding, std::string_view payload) : encoding_(encoding), payload_(payload) {}
  /// REQUIRES: a sorted set.
  explicit Zset(const ValueView& value) : Zset(value.encoding, value.payload) {}

  size_t size() const;
  bool empty() const { return size() == 0; }
  std::optional<double> Score(std::string_view member) const;
  /// The rank of a member in ascending order.
  std::optional<size_t> Rank(std::string_view member) const;

  /// How many members have a lower score; with `or_equal`, a lower one or this one.
  size_t CountBelow(double score, bool or_equal) const;
  /// How many members are before this one in the order of bytes; with `or_equal`, also itself.
  /// Means something only if all scores are equal, as in Redis.
  size_t CountBelowMember(std::string_view member, bool or_equal) const;

  /// REQUIRES: rank < size().
  ScoredItem At(size_t rank) const;
  /// See ZsetTreeView::ForRange.
  void ForRange(size_t first, size_t count, bool descending, ScoredFn fn) const;
  void ForEach(ScoredFn fn) const { ForRange(0, size(), /*descending=*/false, fn); }
  /// One step of ZSCAN: calls `fn` for about `count` members and returns the next cursor, 0 at the
  /// end. Visits the whole of a small set. Cursors fit a signed 64-bit integer.
  uint64_t Scan(uint64_t cursor, size_t count, ScoredFn fn) const;

  /// The sorted set as it is now, for a thread without the lock. O(1), or a copy of a small block.
  SharedValue Share() const {
    return SharedValue({.type = kType, .encoding = encoding_, .payload = payload_});
  }
  /// Whether this sorted set is that value, unchanged since it was shared.
  bool Is(const SharedValue& value) const {
    return value.Is({.type = kType, .encoding = encoding_, .payload = payload_});
  }

 private:
  friend class MutableZset;

  bool is_tree() const { return encoding_ == Encoding::kBTree; }
  ZsetTreeView tree() const;
  std::string_view run() const;
  size_t CountBefore(uint64_t key, ScoredPredicate before) const;

  Encoding encoding_ = Encoding::kPacked;
  std::string_view payload_;
};

/// A sorted set being changed. The slot may be absent: the first member creates it, and removing
/// the last member removes it. Arguments must not point into the sorted set. The caller holds the
/// stripe's lock.
class MutableZset {
 public:
  /// REQUIRES: the slot is absent or holds a sorted set.
  MutableZset(ValueSlot& slot, const EncodingLimits& limits) : slot_(slot), limits_(limits) {}

  Zset view() const;

  /// For a caller that is about to add so many members, the longest of this size, to an absent
  /// sorted set: it gets its final encoding at once. REQUIRES: members > 0, and all are added.
  void Prepare(size_t members, size_t longest);

  /// Adds the member, or gives it another score. Returns whether it is new. REQUIRES: no NaN.
  /// What clients see as a listpack keeps no sign of a zero, as in Redis.
  bool Put(std::string_view member, double score);
  /// The same for a caller that knows the present score; nullopt: there is no such member.
  void Put(std::string_view member, double score, std::optional<double> old_score);
  /// Returns whether the member was there.
  bool Remove(std::string_view member);
  /// Removes `count` members from a rank on. REQUIRES: first + count <= size.
  void RemoveRange(size_t first, size_t count);

 private:
  bool is_tree() const { return slot_.encoding() == Encoding::kBTree; }
  void AddPacked(ScoredItem item);
  void RemovePacked(size_t first, size_t count);
  void BecomeTree();
  template <typename Change>
  void ChangeTree(Change change);

  ValueSlot& slot_;
  const EncodingLimits& limits_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_ZSET_H_
