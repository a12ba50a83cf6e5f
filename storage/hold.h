#ifndef CLOAKROOM_STORAGE_HOLD_H_
#define CLOAKROOM_STORAGE_HOLD_H_

#include <cstdint>
#include <span>

#include "absl/container/inlined_vector.h"
#include "storage/change_log.h"
#include "storage/database.h"
#include "storage/gate.h"
#include "storage/key_hash.h"

namespace cloakroom {

/// What a command holds of the keyspace while it runs: a pass through a gate and the stripes of
/// its keys, or the closed gates of whole databases. Gives everything back when it goes.
///
/// Order, which makes deadlock impossible: gates by database index, then stripes by number. All
/// is taken at once; a hold that has something takes nothing more until Release.
///
/// All changes under one hold go into the log of changes together, before anything is given back:
/// a transaction, a script, a command on many keys arrives whole. Where a hold is a pass alone,
/// each change stands for itself.
///
/// Thread rule: one thread. On an event loop only the Try functions; they wait for the stripes of
/// running commands (under a microsecond) but never for a gate. When one answers false nothing is
/// held and refused() is the gate to wait for.
class Hold {
 public:
  explicit Hold(GateSlot slot) : slot_(slot) {}
  ~Hold() { Release(); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  /// A pass alone, for commands that take stripes one by one (SCAN, DBSIZE).
  bool TryPass(Database& db);
  /// A pass and one stripe, the common case.
  bool TryKey(Database& db, KeyHash key);
  bool TryKeys(Database& db, std::span<const KeyHash> keys);
  /// Closes gates, in the order given. REQUIRES: ascending by index. `queued`: a ticket for the
  /// first of them that refused is held, see Gate::TryClose.
  bool TryClose(std::span<Database* const> dbs, bool queued);

  /// The same for background threads, which may wait.
  void WaitAndPass(Database& db);
  void WaitForKey(Database& db, KeyHash key);
  void WaitAndClose(Database& db);

  Gate* refused() const { return refused_; }
  bool closed() const { return !closed_.empty(); }
  void Release();

 private:
  GateSlot slot_;
  Gate* passed_ = nullptr;
  Gate* refused_ = nullptr;
  absl::InlinedVector<Gate*, 2> closed_;
  absl::InlinedVector<Stripe*, 8> stripes_;

  /// From here on changes are kept; `together` in a batch, otherwise each for itself.
  void BeginChanges(Database& db, bool together);
  void EndChanges();
  /// Tells the log what the thread is about to see, and the stripes what others will.
  void SeeChanges(const Database& db);
  void MarkChanges(int64_t offset);
  ChangeLog* log_ = nullptr;      ///< null: nobody keeps changes
  Keyspace* keyspace_ = nullptr;  ///< while there is a log
  ChangeBatch* batch_ = nullptr;
  ChangeBatch* outer_ = nullptr;  ///< of the hold around this one: a busy script lets others run
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_HOLD_H_
