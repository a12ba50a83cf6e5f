#ifndef CLOAKROOM_STORAGE_VALUES_MUTABLE_STREAM_H_
#define CLOAKROOM_STORAGE_VALUES_MUTABLE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/values/encoding_limits.h"
#include "storage/values/stream.h"

namespace cloakroom {

/// Which entries XTRIM removes: the oldest, until at most `max_size` are left or none is before
/// `min_id`.
struct StreamTrim {
  enum class By : uint8_t { kSize, kId };

  By by = By::kSize;
  uint64_t max_size = 0;
  StreamId min_id;
  bool whole_leaves = false;  ///< only leaves of which all entries may go
  int64_t limit = 0;          ///< the most entries to remove; 0: any number
};

/// A stream being changed. The slot may be absent: Create or the first Append creates it; it
/// remains when it has no entries left. Arguments must not point into the stream. Thread rule: as
/// ValueView.
class MutableStream {
 public:
  /// REQUIRES: the slot is absent or a stream.
  MutableStream(ValueSlot& slot, const EncodingLimits& limits) : slot_(slot), limits_(limits) {}

  Stream view() const;

  /// An empty stream, if there is none.
  void Create();
  /// The most bytes that an entry's fields and values may have together.
  static constexpr size_t kMaxEntryBytes = size_t{1} << 30;
  /// Appends an entry; `words` are its fields and values. REQUIRES: id > last_id(), the words have
  /// at most kMaxEntryBytes.
  void Append(const StreamId& id, StreamWords words);
  /// Returns whether the entry was there.
  bool Erase(const StreamId& id);
  /// Returns how many entries were removed.
  size_t Trim(const StreamTrim& trim);
  /// What is left out stays as it is. REQUIRES: the slot exists.
  void SetIds(const StreamId& last_id, std::optional<uint64_t> entries_added,
              std::optional<StreamId> max_deleted);

  /// Returns false if there is such a group. REQUIRES: the slot exists.
  bool CreateGroup(std::string_view name, const StreamId& last_id, int64_t entries_read);
  /// Returns whether there was such a group.
  bool DestroyGroup(std::string_view name);

  /// For decoders: a whole leaf (stream_leaf.h) behind all others, and the head's numbers. Nothing
  /// is logged. REQUIRES: the slot exists, items > 0.
  void AppendLeaf(std::string_view bytes, size_t items);
  void SetHead(const StreamId& last_id, const StreamId& max_deleted, uint64_t entries_added);

 private:
  friend class MutableStreamGroup;

  StreamHead head() const;
  void Store(const StreamHead& head);
  /// Changes the tree of the entries.
  template <typename Fn>
  void EditTree(Fn fn);
  bool NeedsNewLeaf(const BTreePlace& last, StreamWords words) const;
  /// Erases the entries of the first leaf that the trim does not keep; returns how many.
  size_t TrimFirstLeaf(const StreamTrim& trim);
  /// The groups, which nobody else shares.
  StreamGroups& OwnGroups();

  ValueSlot& slot_;
  const EncodingLimits& limits_;
};

/// A consumer group being changed. Valid until the stream changes otherwise. Thread rule: as
/// MutableStream.
class MutableStreamGroup {
 public:
  /// REQUIRES: the stream has such a group.
  MutableStreamGroup(MutableStream& stream, std::string_view name);

  const StreamGroup& view() const { return group_; }
  const StreamConsumer* Find(std::string_view consumer) const { return group_.Find(consumer); }
  void SetPosition(const StreamId& last_id, int64_t entries_read);

  /// REQUIRES: there is no such consumer.
  void CreateConsumer(std::string_view name, int64_t now_ms);
  /// Returns how many entries were pending for it. REQUIRES: there is such a consumer.
  size_t DeleteConsumer(std::string_view name);
  /// Notes when a consumer tried to get an entry, and whether it got one. Not logged.
  void Note(std::string_view consumer, int64_t now_ms, bool got);
  /// For decoders.
  void SetTimes(std::string_view consumer, int64_t seen_ms, int64_t active_ms);

  /// Returns how many of them were pending, and are no longer.
  size_t Acknowledge(std::span<const StreamId> ids);
  /// Makes entries pending for a consumer, whoever had them before. REQUIRES: there is such a
  /// consumer.
  void Claim(std::string_view consumer, std::span<const StreamId> ids, int64_t delivered_ms,
             int64_t deliveries);

 private:
  ValueSlot& slot_;
  const std::string name_;
  StreamGroup& group_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_MUTABLE_STREAM_H_
