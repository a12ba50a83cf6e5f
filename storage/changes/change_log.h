#ifndef CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
#define CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"

namespace cloakroom {

/// What a value class does to the items of a hash or a set.
enum class ItemChange : uint8_t {
  kSetField,      ///< field, value: clears the field's expiry
  kEraseField,    ///< field
  kExpireField,   ///< milliseconds since the epoch, "FIELDS", "1", field
  kPersistField,  ///< "FIELDS", "1", field
  kAddMember,     ///< member
  kRemoveMember,  ///< member
};

/// The changes of one hold as commands that repeat them: results, not intentions. A command is a
/// list of words; whoever executes them in order, in the same state, comes to the same state,
/// whatever the time, and executing one twice in a row changes nothing. Times are absolute.
///
/// Thread rule: that of its owner.
class ChangeBatch {
 public:
  /// What Clear keeps of each of its buffers at most: one that has held more gives it back.
  static constexpr size_t kKeptBytes = 256 * 1024;

  bool empty() const { return commands_.empty(); }
  size_t command_count() const { return commands_.size(); }
  size_t word_count() const { return ends_.size(); }
  /// Of all words.
  size_t byte_count() const { return bytes_.size(); }
  /// The databases of its first and its last command. REQUIRES: !empty().
  int first_db() const { return commands_.front().db; }
  int last_db() const { return commands_.back().db; }
  void Clear();
  /// Drops what is in it, and what is still to come until it is cleared: the changes are those of
  /// something that was cut off half-way.
  void Abandon();

  void Add(int db, std::span<const std::string_view> words);
  void Add(int db, std::initializer_list<std::string_view> words) {
    Add(db, std::span<const std::string_view>(words.begin(), words.size()));
  }
  /// Becomes one command with the change before, where both are of one key and one kind.
  void AddItem(int db, std::string_view key, ItemChange change,
               std::initializer_list<std::string_view> arguments);

  /// Some of it is more than time does by itself: what has expired is gone after a restart too,
  /// whether or not the log says so.
  bool shown() const { return shown_; }
  void NoteShown() { shown_ = true; }

  /// In order. The words are valid during the call.
  void ForEach(
      absl::FunctionRef<void(int db, std::span<const std::string_view> words)> visit) const;

 private:
  struct Command {
    int db;
    size_t words;  ///< how many
  };
  void AddWord(std::string_view word);

  std::vector<Command> commands_;
  std::vector<size_t> ends_;  ///< of all words, in bytes_
  std::string bytes_;
  /// The last command is this change of this key, and may become longer.
  bool extensible_ = false;
  bool abandoned_ = false;
  bool shown_ = false;
  ItemChange last_change_ = {};
  std::string last_key_;
};

/// Where all changes of a keyspace go: the append-only log, the stream to replicas. Offsets count
/// its bytes.
///
/// Where a change must not be shown before it is on the disk (`readers_wait`), every stripe knows
/// the offset behind its last change, and so does a database for those of a closed gate; whoever
/// takes a hold tells the log the highest offset of what it is about to see.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  /// The changes of one hold, to be kept together; the offset behind them. Called while all the
  /// stripes that they touch are held, so the order of the calls is the order of the changes to
  /// every key; must be quick. Any thread.
  virtual int64_t Append(const ChangeBatch& batch) = 0;

  /// Memory of changes that are still on their way to the disk. maxmemory does not count it, as in
  /// Redis: a slow disk must not evict keys. Any thread.
  virtual int64_t buffered_bytes() const { return 0; }

  /// Who reads is to wait until what it has read is on the disk.
  bool readers_wait() const { return readers_wait_.load(std::memory_order_relaxed); }
  /// What this thread does now sees the changes before the offset. Any thread.
  virtual void Saw(int64_t /*offset*/) {}
  /// Behind all that was appended.
  virtual int64_t appended() const { return 0; }

 protected:
  void set_readers_wait(bool wait) { readers_wait_.store(wait, std::memory_order_relaxed); }

 private:
  std::atomic<bool> readers_wait_ = false;
};

/// The batch of what this thread holds at the moment: changes are kept in it until the hold ends
/// (hold.h). Null while the thread holds only single stripes (expiry, eviction): then each change
/// stands for itself.
ChangeBatch* CurrentChanges();

// For Hold alone.
/// Makes `batch` the current one and returns what was so before.
ChangeBatch* ExchangeCurrentChanges(ChangeBatch* batch);
/// An empty batch of this thread's, to be given back on it: commands should not allocate.
ChangeBatch* BorrowChangeBatch();
void ReturnChangeBatch(ChangeBatch* batch);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_LOG_H_
