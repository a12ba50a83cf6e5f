#include "storage/access/lookup.h"

#include "storage/access/write_scope.h"
#include "storage/keyspace/keyspace.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {

const Entry* PeekKey(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms) {
  Stripe& stripe = db.StripeOf(hash);
  AssertHeld(stripe);
  Entry** slot = stripe.table.Find(key, hash);
  if (slot == nullptr) return nullptr;
  if ((*slot)->expired(now_ms)) [[unlikely]] {
    if (!db.keyspace().settings().keeps_expired(now_ms)) {
      const WriteScope removes_it(hold, db, key, hash, now_ms, /*random=*/nullptr, Writer::kServer);
    }
    return nullptr;
  }
  return *slot;
}

const Entry* FindKey(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
                     absl::BitGenRef random) {
  const Entry* entry = PeekKey(hold, db, key, hash, now_ms);
  if (entry != nullptr) db.NoteAccess(*const_cast<Entry*>(entry), now_ms, random);
  return entry;
}

void NoteMiss(Hold& hold, Database& db, std::string_view key) {
  if ((db.keyspace().feed().wants() & ChangeConsumer::kMisses) == 0) [[likely]]
    return;
  if (ChangeBatch* batch = hold.changes()) {
    batch->AddEvent({.db = db.index(), .name = "keymiss", .key = key, .modified = false});
  }
}

void KeepForLog(Database& db, std::string_view key, KeyHash hash) {
  Stripe& stripe = db.StripeOf(hash);
  AssertHeld(stripe);
  Snapshot& snapshot = db.keyspace().snapshot();
  if (!snapshot.active()) return;
  Entry** slot = stripe.table.Find(key, hash);
  if (slot == nullptr || (*slot)->epoch() == snapshot.epoch()) return;
  snapshot.KeepPreImage(db, hash, *slot);
}

}  // namespace cloakroom
