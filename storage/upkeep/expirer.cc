#include "storage/upkeep/expirer.h"

#include <string>
#include <vector>

#include "storage/access/write_scope.h"
#include "storage/keyspace/hold.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

/// Limits of one hold of a stripe: groups of 16 buckets to search, entries and fields to remove.
constexpr size_t kSliceGroups = 4;
constexpr size_t kSliceEntries = 64;
constexpr size_t kSliceFields = 256;

}  // namespace

size_t Expirer::Run(absl::FunctionRef<bool()> between) {
  size_t removed = 0;
  if (keyspace_.settings().keeps_expired(keyspace_.clock().NowMs())) return removed;
  for (Database* db : keyspace_.databases()) {
    if (db->size() == 0) continue;
    if (!RunDatabase(*db, between, &removed)) break;
  }
  return removed;
}

bool Expirer::RunDatabase(Database& db, absl::FunctionRef<bool()> between, size_t* removed) {
  for (uint32_t s = 0; s < Database::kStripes; ++s) {
    Slice slice;
    do {
      slice = RunSlice(db, db.stripe(s), keyspace_.clock().NowMs());
      // The database is closed, maybe for long: the others cannot wait for that.
      if (!slice.passed) return true;
      *removed += slice.removed;
      if (slice.removed > 0 && !between()) return false;
    } while (!slice.finished);
  }
  return true;
}

Expirer::Slice Expirer::RunSlice(Database& db, Stripe& stripe, int64_t now_ms) {
  Slice slice;
  Hold hold(keyspace_.background_slot());
  if (!hold.TryPassNow(db)) return {.passed = false};
  // The server may have become a replica since the run began.
  if (keyspace_.settings().keeps_expired(now_ms)) return {.finished = true};
  MutexLock lock(stripe.mutex);
  std::vector<std::string> due;
  slice.finished = stripe.table
                       .CollectDue(now_ms, kSliceGroups,
                                   [&](Entry* entry) {
                                     const int64_t at = entry->NextDue();
                                     if (at > now_ms) return at;
                                     if (due.size() == kSliceEntries) return at;
                                     due.emplace_back(entry->key());
                                     return kNever;
                                   })
                       .finished;
  for (const std::string& key : due) {
    size_t removed = RemoveDue(hold, db, key, now_ms);
    slice.removed += removed;
    slice.finished =
        slice.finished && removed < kSliceFields;  // else more of its fields may be due
  }
  slice.finished = slice.finished && due.size() < kSliceEntries;
  return slice;
}

size_t Expirer::RemoveDue(Hold& hold, Database& db, std::string_view key, int64_t now_ms) {
  WriteScope scope(hold, db, key, KeyHash::Of(key), now_ms, /*random=*/nullptr, Writer::kServer);
  if (!scope.exists()) return 1;
  const TypeOps& ops = OpsOf(scope.type());
  if (ops.erase_expired == nullptr) return 1;
  scope.set_by_time(true);
  const size_t fields = ops.erase_expired(scope, keyspace_.encoding_limits(), now_ms, kSliceFields);
  keyspace_.counters().expired_fields.fetch_add(static_cast<int64_t>(fields),
                                                std::memory_order_relaxed);
  if (fields > 0) scope.Changed(ops.expired_event);
  if (!scope.exists()) scope.Changed("del");
  return fields;
}

}  // namespace cloakroom
