#ifndef CLOAKROOM_STORAGE_VALUES_STREAM_GROUP_H_
#define CLOAKROOM_STORAGE_VALUES_STREAM_GROUP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/stream_id.h"
#include "storage/values/stream_records.h"

namespace cloakroom {

/// A consumer of a group.
struct StreamConsumer {
  uint32_t number = 0;     ///< its place in StreamGroup::by_number
  int64_t seen_ms = 0;     ///< when it last tried to read or claim
  int64_t active_ms = -1;  ///< when it last got an entry; -1: never
  StreamIdSet pending;     ///< the IDs that are pending for it
};

/// A consumer group of a stream. Invariant: an ID is in `pending` with a consumer's number exactly
/// if it is in that consumer's set.
class StreamGroup {
 public:
  using Consumers = std::map<std::string, StreamConsumer, std::less<>>;

  /// The count of a group that does not know how many entries it has read.
  static constexpr int64_t kUnknownRead = -1;

  StreamGroup() = default;
  StreamGroup(StreamGroup&&) = default;
  StreamGroup& operator=(StreamGroup&&) = default;
  /// A copy that shares the pending entries. O(consumers).
  StreamGroup Share() const;

  StreamId last_id;  ///< of the last entry that was delivered
  int64_t entries_read = kUnknownRead;

  const PendingEntries& pending() const { return pending_; }
  const Consumers& consumers() const { return consumers_; }
  /// Null: there is no such consumer.
  const StreamConsumer* Find(std::string_view name) const;
  StreamConsumer* Find(std::string_view name);
  /// REQUIRES: a consumer has the number.
  std::string_view NameOf(uint32_t number) const { return by_number_[number]->first; }

  /// REQUIRES: there is no consumer of this name.
  StreamConsumer& Create(std::string_view name, int64_t seen_ms);
  /// Erases the consumer with its pending entries. REQUIRES: there is one of this name.
  void EraseConsumer(std::string_view name);

  /// Makes an entry pending for the consumer, whoever had it before.
  void Give(StreamConsumer& consumer, const StreamId& id, int64_t delivered_ms, int64_t deliveries);
  /// The entry is no longer pending. Returns whether it was.
  bool Drop(const StreamId& id);

 private:
  PendingEntries pending_;
  Consumers consumers_;
  std::vector<Consumers::value_type*> by_number_;  ///< null: the number is free
};

/// The groups of a stream, by name. Copy-on-write: values that share the object never change it; a
/// change of one copies the object first, but not the pending entries.
///
/// Threads: as SharedPart: any thread may read an object to which it owns a reference; the sole
/// owner may change it.
class StreamGroups {
 public:
  using Map = std::map<std::string, StreamGroup, std::less<>>;

  /// A new object with one reference.
  static StreamGroups* Create() { return new StreamGroups; }
  StreamGroups* Copy() const;
  void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() const {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }

  Map by_name;

 private:
  StreamGroups() = default;
  ~StreamGroups() = default;

  mutable std::atomic<uint32_t> refs_{1};
};

/// The bytes of a group's trees, names and objects, about as the allocator counts them.
size_t MemoryOf(const StreamGroups& groups, size_t samples);
/// How many allocations it has.
size_t PartsOf(const StreamGroups& groups);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_STREAM_GROUP_H_
