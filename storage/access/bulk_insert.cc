#include "storage/access/bulk_insert.h"

#include "storage/base/unaligned.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {

absl::Status BulkInsert(Database& db, KeyHash hash, const EntryView& loaded, bool replace) {
  // Made outside the lock; duplicates are rare enough to waste it.
  const ValueView& value = loaded.value;
  Entry* const entry = Entry::Create(loaded.key, loaded.expire_at_ms, value.type, value.encoding,
                                     value.payload.size());
  StoreBytes(entry->mutable_payload(), value.payload);
  entry->set_outgrown(value.outgrown);
  entry->set_access(loaded.access);
  const int64_t due = entry->UpdateDue();
  Stripe& stripe = db.StripeOf(hash);
  const MutexLock lock(stripe.mutex);
  if (Entry** const slot = stripe.table.Find(loaded.key, hash)) {
    if (!replace) {
      Entry::Destroy(entry);
      return absl::AlreadyExistsError("the key is there already");
    }
    Entry* const old = stripe.table.Erase(slot, hash);
    if (old->has_expiry()) stripe.expires.fetch_sub(1, std::memory_order_relaxed);
    if (auto* const counter = stripe.CounterOf(*old))
      counter->fetch_sub(1, std::memory_order_relaxed);
    db.keyspace().reclaimer().Drop(old);
  }
  entry->set_epoch(db.keyspace().snapshot().epoch());
  stripe.table.Insert(entry, hash);
  if (due != kNever) stripe.table.NoteDue(hash, due);
  stripe.keys.store(stripe.table.size(), std::memory_order_relaxed);
  if (loaded.expire_at_ms != kNoExpiry) stripe.expires.fetch_add(1, std::memory_order_relaxed);
  if (auto* const counter = stripe.CounterOf(*entry))
    counter->fetch_add(1, std::memory_order_relaxed);
  return absl::OkStatus();
}

}  // namespace cloakroom
