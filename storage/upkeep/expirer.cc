#include "storage/upkeep/expirer.h"

#include <string>
#include <vector>

#include "storage/access/write_scope.h"
#include "storage/keyspace/hold.h"
#include "storage/values/hash.h"

namespace cloakroom {
namespace {

/// What one hold of a stripe may cost: groups of 16 buckets looked at, entries and fields removed.
constexpr size_t kSliceGroups = 4;
constexpr size_t kSliceEntries = 64;
constexpr size_t kSliceFields = 256;

int64_t NextDue(const Entry& entry) {
  int64_t due = entry.expire_at_ms();
  if (!entry.has_field_expiry()) return due;
  int64_t field = Hash(entry.encoding(), entry.payload()).NextExpiry();
  if (field == kNoFieldExpiry) return due;
  return due == kNoExpiry ? field : std::min(due, field);
}

}  // namespace

size_t Expirer::Run(absl::FunctionRef<bool()> between) {
  size_t removed = 0;
  if (keyspace_.settings().unchanging_until_ms > keyspace_.clock().NowMs()) return removed;
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
      // Somebody has the database for himself, maybe for long: the others cannot wait for that.
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
  MutexLock lock(stripe.mutex);
  std::vector<std::string> due;
  slice.finished = stripe.table
                       .CollectDue(now_ms, kSliceGroups,
                                   [&](Entry* entry) {
                                     int64_t at = NextDue(*entry);
                                     if (at == kNoExpiry || at > now_ms) return at;
                                     if (due.size() == kSliceEntries) return at;
                                     due.emplace_back(entry->key());
                                     return kNoExpiry;
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
  WriteScope scope(hold, db, key, KeyHash::Of(key), now_ms);
  if (!scope.exists() || scope.type() != ValueType::kHash) return 1;
  MutableHash hash(scope, keyspace_.encoding_limits());
  scope.set_by_time(true);
  size_t fields = hash.EraseExpired(now_ms, kSliceFields);
  keyspace_.counters().expired_fields.fetch_add(static_cast<int64_t>(fields),
                                                std::memory_order_relaxed);
  if (fields > 0) scope.Changed("hexpired");
  if (!scope.exists()) scope.Changed("del");
  return fields;
}

}  // namespace cloakroom
