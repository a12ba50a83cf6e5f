#ifndef CLOAKROOM_STORAGE_KEYSPACE_HOLD_H_
#define CLOAKROOM_STORAGE_KEYSPACE_HOLD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "storage/changes/change_feed.h"
#include "storage/changes/interest.h"
#include "storage/gate/doorbell.h"
#include "storage/gate/gate.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// What a command holds of the keyspace while it runs: a pass through a gate and the stripes of its
/// keys, or the closed gates of whole databases. The destructor gives everything back.
///
/// A thread that lacks something gives back the rest before it waits: a Try function that returns
/// false holds nothing, and a Wait function gives back what it has first. So there is no deadlock,
/// and no thread waits for another one that waits. Stripes are taken in the order of their numbers,
/// so that the usual case succeeds at once.
///
/// All changes under one hold go to their consumers (ChangeFeed) together, before anything is given
/// back: a transaction, a script or a command on many keys arrives whole. If the hold is a pass
/// alone, each change is a batch of its own. Just before changes are handed on, requests that wait
/// for the changed keys are served, so that no other command comes between. If serving them changes
/// keys of other stripes (BLMOVE's destination), a hold of the stripe where they wait also takes
/// those, whatever it is for; a pass alone does not, since it only removes keys.
///
/// Thread rule: one thread. Event loops and the workers' jobs use only the Try functions, which
/// wait for at most a moment (Gate::kMoment), however much they ask for.
class Hold {
 public:
  using Databases = absl::InlinedVector<Database*, 2>;

  /// `context`: of the same thread; null: no reply waits for its changes.
  explicit Hold(GateSlot slot, HoldContext* context = nullptr) : slot_(slot), context_(context) {}
  ~Hold() { Release(); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// A pass alone, for commands that take stripes one by one (SCAN, DBSIZE).
  bool TryPass(Database& db);
  /// The same without any wait.
  bool TryPassNow(Database& db);
  /// A pass and one stripe, the common case.
  bool TryKey(Database& db, KeyHash key);
  bool TryKeys(Database& db, std::span<const KeyHash> keys);
  /// Closes gates. `queued`: the caller holds a ticket for the first of them that refused; see
  /// Gate::TryClose.
  bool TryClose(std::span<Database* const> dbs, bool queued);

  /// After a Try that returned false: the gate to wait for. Null: something was occupied that no
  /// thread keeps for long, so try again soon (kSoon).
  Gate* refused() const { return refused_; }
  /// The refused request was to close the gate.
  bool refused_to_close() const { return refused_to_close_; }
  /// How long "soon" is.
  static constexpr std::chrono::microseconds kSoon = Doorbell::kSoon;

  /// The same for threads that may wait: the background thread, the starting server, tests.
  void WaitAndPass(Database& db);
  void WaitForKey(Database& db, KeyHash key);
  /// False: `give_up`, which is asked now and then, returned true.
  bool WaitAndClose(
      std::span<Database* const> dbs, absl::FunctionRef<bool()> give_up = [] { return false; });
  void WaitAndClose(Database& db);
  void WaitAndCloseAll(Keyspace& keyspace);

  /// Whether it has closed any gate, or that of `db`.
  bool closed() const { return !closed_.empty(); }
  bool Closes(const Database& db) const;
  const absl::InlinedVector<Gate*, 2>& closed_gates() const { return closed_; }

  /// The changes under this hold. Null: nobody wants changes, or the hold is a pass alone, under
  /// which each change is a batch of its own.
  ChangeBatch* changes() { return batch_.get(); }
  /// Adds a change that belongs to no single key. REQUIRES: closed().
  void Note(int db, ChangeKind kind, int64_t number = 0);
  /// What takes the changes is about to be another, or has just become so: hands on the changes so
  /// far, and keeps those from here on. REQUIRES: it closes the gate of `db`, among others.
  void BeginAnew(Database& db);
  /// For a caller that has a pass alone and has locked a stripe: it is about to read there.
  void See(Database& db, const Stripe& stripe);
  void Release();

  /// Whose command it is for; 0: no client's.
  uint64_t client() const { return context_ == nullptr ? 0 : context_->client; }

  /// Calls `visit` with the key's stripe, if the hold has it or can have it for that moment without
  /// any wait. False: it is occupied, or of a database that the hold has not passed.
  bool TryBesides(Database& db, KeyHash key, absl::FunctionRef<void(Stripe&)> visit);

  // For WriteScope and its like.
  /// Has `work` done when everything has been given back. It must not wait for anything.
  void Afterwards(std::function<void()> work) { afterwards_.push_back(std::move(work)); }
  /// The key was changed, or a swap may have changed it; its waiters are to be served.
  /// REQUIRES: the stripe is held.
  void NoteReady(Database& db, std::string_view key, KeyHash hash);
  /// The hold is a pass alone: to change something, lock its stripe and end with HandAlone.
  bool alone() const { return stripes_.empty() && closed_.empty(); }
  /// Hands on the changes (null: nobody wants them) and serves the key's waiters.
  /// REQUIRES: alone(), and the stripe is still locked.
  void HandAlone(Database& db, Stripe& stripe, const ChangeBatch* batch);

 private:
  bool Refuse(Gate* gate, bool to_close = false);
  using Stripes = absl::InlinedVector<Stripe*, 8>;
  /// Takes all or none.
  bool TryLockAll(Database& db, Stripes wanted);
  /// Takes what those who wait in the stripes need besides.
  bool TryLockOthers(Database& db);

  GateSlot slot_;
  HoldContext* const context_;
  Gate* passed_ = nullptr;
  Gate* refused_ = nullptr;
  bool refused_to_close_ = false;
  absl::InlinedVector<Gate*, 2> closed_;
  Stripes stripes_;  ///< those that are locked

  /// Keeps the changes from here on; `together`: in one batch, otherwise one batch for each.
  void BeginChanges(Database& db, bool together);
  void EndChanges();
  void GiveBatch();
  /// Sees what the thread is about to read, and notes in the stripes what others will see.
  void SeeChanges(const Database& db);
  void MarkChanges(int64_t offset);
  void ServeReady();
  void ServeWaiters(Database& db, std::string_view key, KeyHash hash);
  /// Finishes what must wait until everything has been given back.
  void Finish();
  SeenOffset* seen() const { return context_ == nullptr ? nullptr : context_->seen; }

  Keyspace* keyspace_ = nullptr;  ///< null: nobody wants changes
  std::unique_ptr<ChangeBatch> batch_;
  bool handed_on_ = false;
  ChangeFeed::Handed handed_;  ///< how batch_ was
  int64_t offset_ = 0;         ///< behind what was handed on, if a reply must wait for that

  struct Ready {
    Database* db;
    std::string key;
    KeyHash hash;
  };
  std::vector<Ready> ready_;
  bool serving_ = false;
  std::vector<std::shared_ptr<Waiter>> served_;
  std::vector<std::function<void()>> afterwards_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_KEYSPACE_HOLD_H_
