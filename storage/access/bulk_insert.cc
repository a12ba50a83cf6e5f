#include "storage/access/bulk_insert.h"

#include <algorithm>

#include "storage/base/unaligned.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"
#include "storage/values/hash.h"

namespace cloakroom {

bool BulkInsert(Database& db, KeyHash hash, const BulkEntry& loaded) {
  // Made outside the lock; duplicates are rare enough to be made in vain.
  Entry* const entry = Entry::Create(loaded.key, loaded.expire_at_ms, loaded.type, loaded.encoding,
                                     loaded.payload.size());
  StoreBytes(entry->mutable_payload(), loaded.payload);
  entry->set_outgrown(loaded.outgrown);
  entry->set_access(loaded.access);
  int64_t due = loaded.expire_at_ms;
  if (loaded.type == ValueType::kHash) {
    const int64_t field = Hash(loaded.encoding, loaded.payload).NextExpiry();
    entry->set_has_field_expiry(field != kNoFieldExpiry);
    if (field != kNoFieldExpiry) due = due == kNoExpiry ? field : std::min(due, field);
  }
  Stripe& stripe = db.StripeOf(hash);
  const MutexLock lock(stripe.mutex);
  if (Entry** const slot = stripe.table.Find(loaded.key, hash)) {
    if (!loaded.replace) {
      Entry::Destroy(entry);
      return false;
    }
    Entry* const old = stripe.table.Erase(slot, hash);
    if (old->has_expiry()) stripe.expires.fetch_sub(1, std::memory_order_relaxed);
    if (old->has_field_expiry()) stripe.field_expires.fetch_sub(1, std::memory_order_relaxed);
    db.keyspace().reclaimer().Drop(old);
  }
  entry->set_epoch(db.keyspace().snapshot().epoch());
  stripe.table.Insert(entry, hash);
  if (due != kNoExpiry) stripe.table.NoteDue(hash, due);
  stripe.keys.store(stripe.table.size(), std::memory_order_relaxed);
  if (loaded.expire_at_ms != kNoExpiry) stripe.expires.fetch_add(1, std::memory_order_relaxed);
  if (entry->has_field_expiry()) stripe.field_expires.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace cloakroom
