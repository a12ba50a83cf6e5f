#ifndef CLOAKROOM_STORAGE_VALUES_STREAM_RECORDS_H_
#define CLOAKROOM_STORAGE_VALUES_STREAM_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "storage/values/btree.h"
#include "storage/values/stream_id.h"

namespace cloakroom {

/// An entry that was delivered to a consumer, which has not acknowledged it.
struct PendingEntry {
  StreamId id;
  int64_t delivered_ms = 0;  ///< when it was last delivered
  int64_t deliveries = 1;    ///< how often
  uint32_t consumer = 0;     ///< its number in its group
};

/// Pending entries by their IDs: all those of a consumer group. O(log n) each, and copied in O(1).
///
/// Threads: as BTree.
class PendingEntries {
 public:
  PendingEntries();

  size_t size() const { return tree_.size(); }
  bool empty() const { return tree_.empty(); }
  std::optional<PendingEntry> Find(const StreamId& id) const;
  /// REQUIRES: !empty().
  StreamId first() const;
  StreamId last() const;
  /// Calls `fn` with the entries from `from` on, in order, until it returns false.
  void ForEachFrom(const StreamId& from, absl::FunctionRef<bool(const PendingEntry&)> fn) const;

  /// Inserts the entry, or replaces the one with its ID.
  void Put(const PendingEntry& entry);
  /// Returns whether it was there.
  bool Erase(const StreamId& id);

  PendingEntries Share() const { return PendingEntries(tree_.Share()); }
  BTreeView tree() const { return tree_.view(); }

 private:
  explicit PendingEntries(BTree tree) : tree_(std::move(tree)) {}

  BTree tree_;
};

/// A set of IDs: those that are pending for one consumer. As PendingEntries.
class StreamIdSet {
 public:
  StreamIdSet();

  size_t size() const { return tree_.size(); }
  bool empty() const { return tree_.empty(); }
  bool Contains(const StreamId& id) const;
  /// Calls `fn` with the IDs from `from` on, in order, until it returns false.
  void ForEachFrom(const StreamId& from, absl::FunctionRef<bool(const StreamId&)> fn) const;

  /// Returns whether it is new.
  bool Insert(const StreamId& id);
  /// Returns whether it was there.
  bool Erase(const StreamId& id);

  StreamIdSet Share() const { return StreamIdSet(tree_.Share()); }
  BTreeView tree() const { return tree_.view(); }

 private:
  explicit StreamIdSet(BTree tree) : tree_(std::move(tree)) {}

  BTree tree_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STREAM_RECORDS_H_
