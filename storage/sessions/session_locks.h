#ifndef CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCKS_H_
#define CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCKS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/base/clock.h"
#include "storage/sessions/commit_decision.h"
#include "storage/sessions/session_hash.h"

namespace cloakroom {

class SessionLock;
class SessionWaiter;

/// The session locks of one stripe. A key has a record while somebody holds its lock natively or
/// waits for it, and for as long as plain clients were seen to poll it; an idle session has none.
///
/// While nobody has ever used a session of the stripe, it is a null pointer.
///
/// Thread rule: the stripe is held, or the gate closed.
class SessionLocks {
  struct Record;
  struct RecordHash;
  struct RecordEqual;
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
  bool empty() const { return table_ == nullptr || size() == 0; }
  size_t size() const;
  /// False if the key has no record, which is as good as a free lock.
  Use Find(std::string_view key);
  /// Makes a record if there is none.
  Use Get(std::string_view key);

  /// What to do with a COMMIT of the key's session, with a record or without one.
  CommitCase Decide(std::string_view key, const CommitRequest& request, const SessionHash& hash);
  /// See FencedNotes. `now_ms`: of the monotonic clock.
  void NoteSpent(int64_t fence, int64_t now_ms);
  void NoteDestroyed(std::string_view key, int64_t last, int64_t now_ms);

  /// Calls `visit(key, use)` for every record: for FLUSHDB, SWAPDB, a demotion, SESSION.LIST. It
  /// must use no other record.
  void ForEach(absl::FunctionRef<void(std::string_view key, Use& use)> visit);
  /// Forgets what nobody needs any more. Call it now and then, with the monotonic clock.
  void Sweep(int64_t now_ms);

  /// The memory of all records and of what they share. The waiters' own is not in it.
  size_t bytes() const;

 private:
  Table& MakeTable();

  std::unique_ptr<Table> table_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_SESSIONS_SESSION_LOCKS_H_
