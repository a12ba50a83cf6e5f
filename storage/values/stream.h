#ifndef CLOAKROOM_STORAGE_VALUES_STREAM_H_
#define CLOAKROOM_STORAGE_VALUES_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/values/btree_view.h"
#include "storage/values/shared_value.h"
#include "storage/values/stream_group.h"
#include "storage/values/stream_id.h"
#include "storage/values/stream_leaf.h"
#include "storage/values/type_ops.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Its row (type_ops.h).
extern const TypeOps kStreamOps;

/// The payload of a stream.
struct StreamHead {
  BTreePart* root = nullptr;       ///< of the entries; owns a reference
  StreamGroups* groups = nullptr;  ///< null: none; owns a reference
  StreamId last_id;                ///< the greatest that the stream has given out
  StreamId max_deleted;            ///< the greatest that XDEL has deleted
  uint64_t entries_added = 0;      ///< in the stream's whole life
};

/// IDs from `first` to `last`, both included.
struct StreamRange {
  StreamId first = kFirstStreamId;
  StreamId last = kLastStreamId;
};

/// A stream as readers see it. A default-constructed Stream is absent, and empty; a stream that has
/// no entries may well exist. Valid until the stream changes; the caller holds the stripe's lock,
/// or a SharedValue.
class Stream {
 public:
  static constexpr ValueType kType = ValueType::kStream;

  Stream() = default;
  Stream(Encoding encoding, std::string_view payload);
  /// REQUIRES: a stream.
  explicit Stream(const ValueView& value) : Stream(value.encoding, value.payload) {}

  size_t size() const { return tree().size(); }
  bool empty() const { return head_.root == nullptr; }
  StreamId last_id() const { return head_.last_id; }
  StreamId max_deleted() const { return head_.max_deleted; }
  uint64_t entries_added() const { return head_.entries_added; }
  /// The IDs of the first and the last entry; 0-0 if there is none.
  StreamId first_entry() const;
  StreamId last_entry() const;

  bool Contains(const StreamId& id) const;
  /// Calls `fn` with the entries of the range, in order or backwards, until it returns false.
  void ForEach(const StreamRange& range, absl::FunctionRef<bool(const StreamEntry&)> fn) const;
  void ForEachBackwards(const StreamRange& range,
                        absl::FunctionRef<bool(const StreamEntry&)> fn) const;
  /// How many entries the range has, or some more: up to those of two leaves. O(log n).
  size_t AtMostIn(const StreamRange& range) const;
  /// Calls `fn` with each leaf and how many entries it has.
  void ForEachLeaf(absl::FunctionRef<void(const StreamLeaf&, size_t items)> fn) const;

  /// Null: there are none, or not this one.
  const StreamGroups* groups() const { return head_.groups; }
  size_t group_count() const;
  const StreamGroup* FindGroup(std::string_view name) const;

  // How far a group is, as Redis 7.0 counts.
  /// Whether an entry behind `from` may have been deleted.
  bool HasGapsFrom(const StreamId& from) const;
  /// How many entries were added up to this one, itself included; nullopt: unknown.
  std::optional<int64_t> CountUpTo(const StreamId& id) const;
  /// How many entries the group has not read yet; nullopt: unknown.
  std::optional<int64_t> LagOf(const StreamGroup& group) const;

  /// The stream as it is now, for a thread without the lock. O(1).
  SharedValue Share() const;

 private:
  BTreeView tree() const { return BTreeView(head_.root); }
  BTreePlace Seek(const StreamId& id) const;

  StreamHead head_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STREAM_H_
