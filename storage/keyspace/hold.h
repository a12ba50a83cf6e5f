#ifndef CLOAKROOM_STORAGE_KEYSPACE_HOLD_H_
#define CLOAKROOM_STORAGE_KEYSPACE_HOLD_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "storage/changes/change_feed.h"
#include "storage/changes/interest.h"
#include "storage/gate/gate.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// What a command holds of the keyspace while it runs: a pass through a gate and the stripes of
/// its keys, or the closed gates of whole databases. Gives everything back when it goes.
///
/// Nobody who lacks something keeps the rest: a Try function that answers false holds nothing, and
/// a Wait function gives back what it has before it waits. So there is no deadlock, and nobody
/// waits for a third one. Stripes are taken in the order of their numbers, which makes the usual
/// case succeed at once.
///
/// All changes under one hold go to those who want them (ChangeFeed) together, before anything is
/// given back: a transaction, a script, a command on many keys arrives whole. Where a hold is a
/// pass alone, each change stands for itself. Just before that, requests that wait for what the
/// hold has changed are served, so that nobody gets between.
///
/// Thread rule: one thread. Event loops, and jobs of the workers, use only the Try functions, which
/// wait for at most a moment (Gate::kMoment), however much they ask for.
class Hold {
 public:
  using Databases = absl::InlinedVector<Database*, 2>;

  /// `context`: of the same thread; null: its changes are for nobody who is answered.
  explicit Hold(GateSlot slot, HoldContext* context = nullptr) : slot_(slot), context_(context) {}
  ~Hold() { Release(); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// A pass alone, for commands that take stripes one by one (SCAN, DBSIZE).
  bool TryPass(Database& db);
  /// The same, and does not wait even for a moment.
  bool TryPassNow(Database& db);
  /// A pass and one stripe, the common case.
  bool TryKey(Database& db, KeyHash key);
  bool TryKeys(Database& db, std::span<const KeyHash> keys);
  /// Closes gates. `queued`: a ticket for the first of them that refused is held, see
  /// Gate::TryClose.
  bool TryClose(std::span<Database* const> dbs, bool queued);

  /// After a Try that answered false: the gate to wait for. Null: something was occupied that
  /// nobody keeps for long, so try again soon (kSoon).
  Gate* refused() const { return refused_; }
  /// It was to be closed.
  bool refused_to_close() const { return refused_to_close_; }
  /// How long "soon" is.
  static constexpr std::chrono::microseconds kSoon{200};

  /// The same for threads that may wait: of the background, while a server starts, of tests.
  void WaitAndPass(Database& db);
  void WaitForKey(Database& db, KeyHash key);
  /// False: `give_up`, which is asked now and then, has answered true.
  bool WaitAndClose(
      std::span<Database* const> dbs, absl::FunctionRef<bool()> give_up = [] { return false; });
  void WaitAndClose(Database& db);
  void WaitAndCloseAll(Keyspace& keyspace);

  /// It has closed some gate; that of `db`.
  bool closed() const { return !closed_.empty(); }
  bool Closes(const Database& db) const;
  const absl::InlinedVector<Gate*, 2>& closed_gates() const { return closed_; }

  /// The changes under this hold. Null: nobody keeps changes, or the hold is a pass alone, under
  /// which each change stands for itself.
  ChangeBatch* changes() { return batch_.get(); }
  /// Adds one that is of no single key. REQUIRES: closed().
  void Note(int db, ChangeKind kind, int64_t number = 0);
  /// For one who has a pass alone and has locked a stripe: it is about to read there.
  void See(Database& db, const Stripe& stripe);
  void Release();

  // For WriteScope and its like.
  /// The key was changed, or may have become another by a swap; those who wait for it are to be
  /// served. REQUIRES: the stripe is held.
  void NoteReady(Database& db, std::string_view key, KeyHash hash);
  /// It is a pass alone: whoever changes something locks its stripe, and ends with HandAlone.
  bool alone() const { return stripes_.empty() && closed_.empty(); }
  /// Hands on what was changed (null: nobody wants it), and serves those who wait for it. REQUIRES:
  /// alone(), and the stripe is still locked.
  void HandAlone(Database& db, Stripe& stripe, const ChangeBatch* batch);

 private:
  bool Refuse(Gate* gate, bool to_close = false);

  GateSlot slot_;
  HoldContext* const context_;
  Gate* passed_ = nullptr;
  Gate* refused_ = nullptr;
  bool refused_to_close_ = false;
  absl::InlinedVector<Gate*, 2> closed_;
  absl::InlinedVector<Stripe*, 8> stripes_;  ///< those that are locked

  /// From here on changes are kept; `together` in a batch, otherwise each for itself.
  void BeginChanges(Database& db, bool together);
  void EndChanges();
  /// Notes what the thread is about to see, and in the stripes what others will.
  void SeeChanges(const Database& db);
  void MarkChanges(int64_t offset);
  void ServeReady();
  void ServeWaiters(Database& db, std::string_view key, KeyHash hash);
  /// What is done when everything has been given back.
  void Finish();
  SeenOffset* seen() const { return context_ == nullptr ? nullptr : context_->seen; }

  Keyspace* keyspace_ = nullptr;  ///< null: nobody wants changes
  std::unique_ptr<ChangeBatch> batch_;
  bool handed_on_ = false;
  int64_t offset_ = 0;  ///< behind what was handed on, where that has to be waited for

  struct Ready {
    Database* db;
    std::string key;
    KeyHash hash;
  };
  std::vector<Ready> ready_;
  bool serving_ = false;
  std::vector<std::shared_ptr<Waiter>> served_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_HOLD_H_
