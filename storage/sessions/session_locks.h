#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCKS_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "storage/base/clock.h"
#include "storage/base/text_hash.h"
#include "storage/sessions/session_lock.h"

namespace cloakroom {

/// The session locks of one stripe. A key has a record while somebody holds its lock natively or
/// waits for it, and for as long as plain clients were seen to poll it; an idle session has none.
///
/// While nobody has ever used a session of the stripe, it is a null pointer.
///
/// Thread rule: the stripe is held, or the gate closed.
class SessionLocks {
  struct Record;
  struct Table;

 public:
  /// A lock in use. When the last use of a record ends, the record goes if it is idle. Must not
  /// outlive the hold of the stripe.
  class Use {
   public:
    Use(Use&& other) noexcept;
    Use& operator=(Use&&) = delete;
    ~Use();

    /// False: there is no record.
    explicit operator bool() const { return record_ != nullptr; }
    SessionLock& operator*() const;
    SessionLock* operator->() const { return &**this; }

    /// The head of the queue, if its event loop has to set its timer to NextDeadline(): since this
    /// use began, it has become the head, or the deadline has come nearer. Null: nobody has to.
    /// A loop whose timer rings too early sets it anew.
    SessionWaiter* NeedsTimer() const;

   private:
    friend class SessionLocks;
    Use(Table* table, Record* record);

    Table* table_;
    Record* record_;
    const SessionWaiter* head_ = nullptr;  ///< when the use began
    int64_t deadline_ms_ = kNever;         ///< then
  };

  SessionLocks();
  ~SessionLocks();
  SessionLocks(const SessionLocks&) = delete;
  SessionLocks& operator=(const SessionLocks&) = delete;

  /// No key has a record, so no write has to ask.
  bool empty() const { return size() == 0; }
  size_t size() const;
  /// False if the key has no record, which is as good as a free lock.
  Use Find(std::string_view key);
  /// Makes a record if there is none.
  Use Get(std::string_view key);

  /// Calls `visit(key, use)` for every record: for FLUSHDB, SWAPDB, a demotion, SESSION.LIST. It
  /// must use no other record.
  template <typename Visit>
  void ForEach(Visit&& visit);
  /// Forgets what nobody needs any more. Call it now and then, with the monotonic clock.
  void Sweep(int64_t now_ms);

  /// The memory of all records and of what they share. The waiters' own is not in it.
  size_t bytes() const;

 private:
  struct Record {
    Record(std::string_view its_key, FencedNotes& fenced) : key(its_key), lock(fenced) {}

    const std::string key;
    SessionLock lock;
    uint32_t bytes = 0;  ///< as counted in the table
    uint32_t uses = 0;
  };
  struct RecordHash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return HashText(key); }
    size_t operator()(const std::unique_ptr<Record>& record) const { return HashText(record->key); }
  };
  struct RecordEqual {
    using is_transparent = void;
    static std::string_view Key(std::string_view key) { return key; }
    static std::string_view Key(const std::unique_ptr<Record>& record) { return record->key; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) == Key(b);
    }
  };
  using Records = absl::flat_hash_set<std::unique_ptr<Record>, RecordHash, RecordEqual>;
  struct Table {
    FencedNotes fenced;
    Records records;
    size_t bytes = 0;  ///< of the records

    /// Counts what has changed in the record; true if it is to go.
    bool Settle(Record& record);
    void Shrink();
  };

  std::unique_ptr<Table> table_;
};

template <typename Visit>
void SessionLocks::ForEach(Visit&& visit) {
  if (table_ == nullptr) return;
  for (auto at = table_->records.begin(); at != table_->records.end();) {
    Record& record = **at;
    // While it is in use twice, the visitor's use does not erase it.
    ++record.uses;
    {
      Use use(table_.get(), &record);
      visit(std::string_view(record.key), use);
    }
    --record.uses;
    const auto present = at++;
    if (table_->Settle(record)) table_->records.erase(present);
  }
  table_->Shrink();
}

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCKS_H_
