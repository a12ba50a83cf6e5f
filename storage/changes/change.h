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

/// What happened to a key or a database. Results, not intentions: whoever repeats the changes in
/// order, in the same state, comes to the same state, whatever the time, and repeating one twice in
/// a row changes nothing. Each says which words it has, after the key, and what its number means.
/// Times are milliseconds since the epoch.
enum class ChangeKind : uint8_t {
  kSetString,     ///< bytes: the whole value, whatever was there; number: the key's expiry
  kSetRawString,  ///< the same, of a string that OBJECT ENCODING calls raw though it is short
  kSetRange,      ///< bytes; number: their offset in a string
  kMakeRaw,       ///< a string that is an integer becomes raw bytes
  kSetExpiry,     ///< number: the key's expiry, kNoExpiry (entry.h) when it lost it
  kRemoveKey,     ///< deleted, expired or evicted

  kSetField,      ///< field, value, ...: of a hash; they expire no more
  kEraseField,    ///< field, ...
  kExpireField,   ///< field; number: when
  kPersistField,  ///< field
  kAddMember,     ///< member, ...: of a set
  kRemoveMember,  ///< member, ...

  kFlushDatabase,
  kFlushAll,
  kSwapDatabases,  ///< number: the other database

  /// The words of the command that did it, the key being one of them: where the results would be
  /// long, as those of RENAME or of a stored union, and where they are no key's (SCRIPT LOAD).
  kCommand,
};

/// One change of a batch. The words are valid while the batch stays as it is.
struct Change {
  ChangeKind kind = ChangeKind::kCommand;
  int db = 0;
  int64_t number = 0;
  std::span<const std::string_view> words;  ///< the key first, if there is one
};

/// The changes of one hold, in their order. Items of one key that change in the same way, one after
/// another, are one change. Beside them, where somebody wants them, the events: what happened to
/// which key by Redis' names for it.
///
/// Thread rule: that of its owner.
class ChangeBatch {
 public:
  /// What Clear keeps of each of its buffers at most: one that has held more gives it back.
  static constexpr size_t kKeptBytes = 256 * 1024;

  bool empty() const { return changes_.empty(); }
  size_t change_count() const { return changes_.size(); }
  size_t word_count() const { return ends_.size(); }
  /// Of all words.
  size_t byte_count() const { return bytes_.size(); }
  /// The databases of its first and its last change. REQUIRES: !empty().
  int first_db() const { return changes_.front().db; }
  int last_db() const { return changes_.back().db; }
  void Clear();
  /// Drops what is in it, and what is still to come until it is cleared: the changes are those of
  /// something that was cut off half-way.
  void Abandon();

  void Add(int db, ChangeKind kind, std::span<const std::string_view> words, int64_t number = 0);
  void Add(int db, ChangeKind kind, std::initializer_list<std::string_view> words,
           int64_t number = 0) {
    Add(db, kind, std::span<const std::string_view>(words.begin(), words.size()), number);
  }
  /// The same with the key apart from its items.
  void AddItem(int db, ChangeKind kind, std::string_view key,
               std::initializer_list<std::string_view> items, int64_t number = 0);

  /// The key had this event.
  void AddEvent(int db, KeyEvent event, std::string_view key);
  bool has_events() const { return !events_.empty(); }

  /// Some of it is more than time does by itself: what has expired is gone after a restart too,
  /// whether or not the log says so.
  bool awaited() const { return awaited_; }
  void NoteAwaited() { awaited_ = true; }

  /// In order. What is visited is valid during the call.
  void ForEach(absl::FunctionRef<void(const Change&)> visit) const;
  void ForEachEvent(
      absl::FunctionRef<void(int db, KeyEvent event, std::string_view key)> visit) const;

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
    KeyEvent event;
    size_t end;  ///< of its key, in event_keys_
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

/// Batches to be used again: a command should not allocate to say what it changed. One thread's.
class ChangeBatchPool {
 public:
  /// An empty one.
  std::unique_ptr<ChangeBatch> Take();
  void Give(std::unique_ptr<ChangeBatch> batch);

 private:
  std::vector<std::unique_ptr<ChangeBatch>> spare_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_H_
