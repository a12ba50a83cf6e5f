#include "storage/access/flush.h"

#include <utility>

#include "storage/keyspace/key_guard.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {
namespace {

void Swap(std::atomic<size_t>& a, std::atomic<size_t>& b) {
  b.store(a.exchange(b.load(std::memory_order_relaxed), std::memory_order_relaxed),
          std::memory_order_relaxed);
}

void SwapContents(Stripe& a, Stripe& b) ABSL_EXCLUSIVE_LOCKS_REQUIRED(a.mutex, b.mutex) {
  a.table.swap(b.table);
  Swap(a.keys, b.keys);
  Swap(a.expires, b.expires);
  Swap(a.field_expires, b.field_expires);
  Swap(a.member_expires, b.member_expires);
}

/// Whether a flush or a swap changes a watched key for all its watchers. `before` and `after`: the
/// entries, or null. If only an expired entry goes, false: then it tells those that began to watch
/// it before it expired.
bool DisturbsWatchers(InterestTable& interests, std::string_view key, Entry** before, Entry** after,
                      int64_t now_ms) {
  auto lives = [&](Entry** slot) { return slot != nullptr && !(*slot)->expired(now_ms); };
  if (lives(before) || lives(after)) return true;
  if (before != nullptr) interests.SignalWatchers(key, /*gone=*/true);
  return false;
}

void Empty(Database& db, uint32_t i) {
  Stripe& stripe = db.stripe(i);
  AssertHeld(stripe);
  if (!db.keyspace().snapshot().TakeTable(db, i, &stripe.table)) {
    db.keyspace().reclaimer().DropTable(std::move(stripe.table));
  }
  stripe.keys.store(0, std::memory_order_relaxed);
  stripe.expires.store(0, std::memory_order_relaxed);
  stripe.field_expires.store(0, std::memory_order_relaxed);
  stripe.member_expires.store(0, std::memory_order_relaxed);
}

/// Keys that requests wait for are in the stripe's table: now, or for the last moment.
void NoteAwaited(Hold& hold, Database& db, Stripe& stripe) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (stripe.interests.empty()) return;
  stripe.interests.ForEachAwaited([&](std::string_view key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const KeyHash hash = KeyHash::Of(key);
    if (stripe.table.Find(key, hash) != nullptr) hold.NoteReady(db, key, hash);
  });
}

void TellGuard(Hold& hold, Database& db, Stripe& stripe, int64_t now_ms) {
  AssertHeld(stripe);
  if (!stripe.sessions.empty()) db.keyspace().key_guard()->AfterReplace(hold, db, stripe, now_ms);
}

/// `hold`: of a client's flush; null: nobody who waits is served.
size_t RemoveContents(Database& db, Hold* hold) {
  const int64_t now_ms = db.keyspace().clock().NowMs();
  size_t removed = 0;
  for (uint32_t i = 0; i < Database::kStripes; ++i) {
    Stripe& stripe = db.stripe(i);
    AssertHeld(stripe);
    stripe.interests.SignalWatchersIf([&](std::string_view key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return DisturbsWatchers(stripe.interests, key, stripe.table.Find(key, KeyHash::Of(key)),
                              nullptr, now_ms);
    });
    if (hold != nullptr) NoteAwaited(*hold, db, stripe);
    removed += stripe.table.size();
    Empty(db, i);
    if (hold != nullptr) TellGuard(*hold, db, stripe, now_ms);
  }
  return removed;
}

/// Tells the watchers of a database's keys what a swap changes for them.
void TellOfSwap(Stripe& from, Stripe& to, int64_t now_ms) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  from.interests.SignalWatchersIf([&](std::string_view key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const KeyHash hash = KeyHash::Of(key);
    return DisturbsWatchers(from.interests, key, from.table.Find(key, hash),
                            to.table.Find(key, hash), now_ms);
  });
}

}  // namespace

void DropContents(Database& db) {
  for (uint32_t i = 0; i < Database::kStripes; ++i) Empty(db, i);
}

size_t FlushDatabase(Hold& hold, Database& db) {
  hold.Note(db.index(), ChangeKind::kFlushDatabase);
  return RemoveContents(db, &hold);
}

size_t FlushAll(Hold& hold, Keyspace& keyspace) {
  hold.Note(0, ChangeKind::kFlushAll);
  size_t removed = 0;
  for (Database* db : keyspace.databases()) removed += RemoveContents(*db, &hold);
  return removed;
}

size_t DiscardAll(Keyspace& keyspace) {
  size_t removed = 0;
  for (Database* db : keyspace.databases()) removed += RemoveContents(*db, nullptr);
  return removed;
}

void SwapAll(Hold& hold, Keyspace& keyspace, Keyspace& fresh) {
  const int64_t now_ms = keyspace.clock().NowMs();
  for (Database* db : keyspace.databases()) {
    for (uint32_t i = 0; i < Database::kStripes; ++i) {
      Stripe& stripe = db->stripe(i);
      Stripe& other = fresh.db(db->index()).stripe(i);
      AssertHeld(stripe);
      AssertHeld(other);
      TellOfSwap(stripe, other, now_ms);
      NoteAwaited(hold, *db, stripe);
      SwapContents(stripe, other);
      NoteAwaited(hold, *db, stripe);
      TellGuard(hold, *db, stripe, now_ms);
    }
  }
}

void SwapDatabases(Hold& hold, Database& a, Database& b) {
  hold.Note(a.index(), ChangeKind::kSwapDatabases, b.index());
  const int64_t now_ms = a.keyspace().clock().NowMs();
  const int number = a.snapshot_number();
  a.set_snapshot_number(b.snapshot_number());
  b.set_snapshot_number(number);
  for (uint32_t i = 0; i < Database::kStripes; ++i) {
    Stripe& one = a.stripe(i);
    Stripe& other = b.stripe(i);
    AssertHeld(one);
    AssertHeld(other);
    TellOfSwap(one, other, now_ms);
    TellOfSwap(other, one, now_ms);
    NoteAwaited(hold, a, one);
    NoteAwaited(hold, b, other);
    SwapContents(one, other);
    NoteAwaited(hold, a, one);
    NoteAwaited(hold, b, other);
    TellGuard(hold, a, one, now_ms);
    TellGuard(hold, b, other, now_ms);
  }
}

}  // namespace cloakroom
