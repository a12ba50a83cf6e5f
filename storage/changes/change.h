#ifndef CLOAKROOM_STORAGE_CHANGES_CHANGE_H_
#define CLOAKROOM_STORAGE_CHANGES_CHANGE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/changes/key_event.h"

namespace cloakroom {

/// What happened to a key or a database. Changes are results, not intentions: replayed once and in
/// order from the same state, they lead to the same state at any time. A log therefore begins
/// exactly at its base's instant. Each kind says which words it has after the key, and its number.
/// Times are milliseconds since the epoch.
enum class ChangeKind : uint8_t {
  kSetString,     ///< bytes: the whole value, replacing any other; number: the key's expiry
  kSetRawString,  ///< the same for a string that OBJECT ENCODING calls raw though it is short
  kSetRange,      ///< bytes; number: their offset in a string
  kMakeRaw,       ///< a string that is an integer becomes raw bytes
  kSetExpiry,     ///< number: the key's expiry; kNoExpiry (entry.h): it has none now
  kRemoveKey,     ///< deleted, expired or evicted

  kSetField,       ///< field, value, ...: of a hash; the fields lose their expiry
  kEraseField,     ///< field, ...
  kExpireField,    ///< field; number: when
  kPersistField,   ///< field
  kAddMember,      ///< member, ...: of a set
  kRemoveMember,   ///< member, ...
  kExpireMember,   ///< member; number: when
  kPersistMember,  ///< member

  kPushFront,      ///< element, ...: to the head of a list, one after the other
  kPushBack,       ///< element, ...: to its tail
  kPopFront,       ///< number: how many elements
  kPopBack,        ///< number: how many
  kSetElement,     ///< element; number: its index
  kInsertElement,  ///< element, new one: beside the first equal one; number: 0 before it, 1 behind
  kEraseElements,  ///< element: equal ones go; number: how many, as LREM counts
  kTrimElements,   ///< first, last: what is left; negative indexes count from the tail

  kSetScore,     ///< score, member, ...: of a sorted set
  kRemoveScore,  ///< member, ...

  kAddEntry,        ///< ID, field, value, ...: to a stream
  kEraseEntry,      ///< ID, ...
  kTrimEntries,     ///< number: how many entries of a stream are left, the newest
  kSetStreamIds,    ///< last ID, entries ever added, greatest deleted ID: of a stream
  kCreateGroup,     ///< group, ID, entries read: of a stream, which is created if there is none
  kSetGroup,        ///< group, ID, entries read
  kDestroyGroup,    ///< group
  kCreateConsumer,  ///< group, consumer
  kDeleteConsumer,  ///< group, consumer
  kAcknowledge,     ///< group, ID, ...: they are no longer pending
  kClaimEntry,      ///< group, consumer, deliveries, ID, ...: pending; number: delivered when

  kFlushDatabase,
  kFlushAll,
  kSwapDatabases,  ///< number: the other database

  /// The words of the command that made the change, its key among them. Only where the result
  /// itself would be long, and the command always leads to it: a stored union or sort, RENAME, COPY
  /// and RESTORE of a value, a range of a sorted set that goes, a HyperLogLog of 12 KB; and for
  /// what changes no key (SCRIPT LOAD).
  kCommand,
};

/// One change of a batch. The words are valid until the batch changes.
struct Change {
  ChangeKind kind = ChangeKind::kCommand;
  int db = 0;
  int64_t number = 0;
  std::span<const std::string_view> words;  ///< the key first, if there is one
};

/// The changes of one hold, in order. Consecutive changes of the same kind to items of one key are
/// one change. If a consumer wants them, also the events: what happened to which key, by Redis'
/// names.
///
/// Thread rule: that of its owner.
class ChangeBatch {
 public:
  /// Clear keeps at most this much of each buffer and frees a larger one.
  static constexpr size_t kKeptBytes = 256 * 1024;

  bool empty() const { return changes_.empty(); }
  size_t change_count() const { return changes_.size(); }
  size_t word_count() const { return ends_.size(); }
  /// The size of all words.
  size_t byte_count() const { return bytes_.size(); }
  /// The databases of the first and the last change. REQUIRES: !empty().
  int first_db() const { return changes_.front().db; }
  int last_db() const { return changes_.back().db; }
  void Clear();
  /// Drops all changes, and all further ones until Clear: they belong to something that was cut off
  /// half-way.
  void Abandon();

  void Add(int db, ChangeKind kind, std::span<const std::string_view> words, int64_t number = 0);
  void Add(int db, ChangeKind kind, std::initializer_list<std::string_view> words,
           int64_t number = 0) {
    Add(db, kind, std::span<const std::string_view>(words.begin(), words.size()), number);
  }
  /// The same with the key separate from its items.
  void AddItem(int db, ChangeKind kind, std::string_view key,
               std::span<const std::string_view> items, int64_t number = 0);
  void AddItem(int db, ChangeKind kind, std::string_view key,
               std::initializer_list<std::string_view> items, int64_t number = 0) {
    AddItem(db, kind, key, std::span<const std::string_view>(items.begin(), items.size()), number);
  }

  /// An event of a key. `modified`: its value is another one, as WATCH and client tracking see it;
  /// not for a stream's consumer groups, an absent key that was read, and a new key, which another
  /// event tells of. Without a name: the client that makes the changes has read the key, behind
  /// the events before, which client tracking must know.
  struct Event {
    int db = 0;
    KeyEvent name;
    std::string_view key;
    bool modified = true;

    bool is_read() const { return name.empty(); }
  };
  void AddEvent(const Event& event);
  bool has_events() const { return !events_.empty(); }

  /// Whether the batch holds more than time does by itself: what has expired is also gone after a
  /// restart, whether or not the log says so.
  bool awaited() const { return awaited_; }
  void NoteAwaited() { awaited_ = true; }

  /// In order. Arguments of `visit` are valid during the call.
  void ForEach(absl::FunctionRef<void(const Change&)> visit) const;
  void ForEachEvent(absl::FunctionRef<void(const Event&)> visit) const;

 private:
  struct Record {
    ChangeKind kind;
    int db;
    int64_t number;
    size_t first_word;
    size_t words;  ///< how many
  };
  struct EventRecord {
    int db;
    KeyEvent name;
    size_t end;  ///< of its key, in event_keys_
    bool modified;
  };
  void AddWord(std::string_view word);
  std::string_view Word(size_t index) const;
  /// The last change is of this kind and key, and may take more items.
  bool Extends(int db, ChangeKind kind, std::string_view key) const;

  std::vector<Record> changes_;
  std::vector<size_t> ends_;  ///< of all words, in bytes_
  std::string bytes_;
  std::vector<EventRecord> events_;
  std::string event_keys_;
  bool abandoned_ = false;
  bool awaited_ = false;
};

/// Batches for reuse, so that a command need not allocate to report its changes. Thread rule: one
/// thread.
class ChangeBatchPool {
 public:
  /// An empty batch.
  std::unique_ptr<ChangeBatch> Take();
  void Give(std::unique_ptr<ChangeBatch> batch);

 private:
  std::vector<std::unique_ptr<ChangeBatch>> spare_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_H_
