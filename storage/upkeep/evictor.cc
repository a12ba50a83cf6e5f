#include "storage/upkeep/evictor.h"

#include <limits>

#include "absl/random/distributions.h"
#include "storage/access/write_scope.h"
#include "storage/base/memory_meter.h"
#include "storage/keyspace/access_clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {
namespace {

/// Keys evicted before a command may go ahead though memory is still over the limit: a single write
/// adds far less than this many keys free.
constexpr int kSliceKeys = 256;
/// Buckets to search for samples in one stripe: if few keys are volatile, most are skipped.
constexpr int kMaxBuckets = 128;
constexpr int kMaxMisses = 1024;
/// How many occupied databases or stripes to pass over.
constexpr int kMaxOccupied = 32;

}  // namespace

bool Evictor::OverLimit() const {
  int64_t limit = keyspace_.settings().maxmemory_bytes;
  if (limit <= 0) return false;
  const int64_t above = MemoryMeter::RoughBytes() - limit;
  return above > 0 && above > keyspace_.uncounted_bytes();
}

bool Evictor::MayEvict() const {
  const StorageSettings& settings = keyspace_.settings();
  return !settings.evicts_by_primary && settings.unchanging_until_ms <= keyspace_.clock().NowMs();
}

bool Evictor::FlushedMemoryIsComing() {
  return keyspace_.snapshot().FreeFlushedTables() || keyspace_.reclaimer().pending_in_tables() > 0;
}

/// Checks again: the reclaimer may have finished between the check of the memory and the check of
/// what is pending.
Evictor::Room Evictor::NoRoom() const { return OverLimit() ? Room::kNoRoom : Room::kBelowLimit; }

Evictor::Room Evictor::MakeRoom() {
  if (!OverLimit() || FlushedMemoryIsComing()) return Room::kBelowLimit;
  // As in Redis, a pause admits commands that find no room: they wait for its end anyway.
  if (!MayEvict()) return Room::kBelowLimit;
  EvictionPolicy policy = keyspace_.settings().policy;
  if (policy == EvictionPolicy::kNoEviction) return NoRoom();
  int evicted = 0;
  int misses = 0;
  int occupied = 0;
  while (evicted < kSliceKeys) {
    switch (EvictOne(policy)) {
      case Step::kEvicted:
        ++evicted;
        if (!OverLimit()) return Room::kBelowLimit;
        break;
      case Step::kBusy:
        // Another database may not be occupied.
        if (++occupied < kMaxOccupied) break;
        return evicted > 0 ? Room::kBelowLimit : Room::kBusy;
      case Step::kOnlyInUse:
      case Step::kNothingFound:
        if (!MayEvict()) return Room::kBelowLimit;
        if (PickDatabase(OnlyVolatile(policy)) == nullptr || ++misses > kMaxMisses) {
          // Entries dropped in bulk may not be freed yet.
          return keyspace_.reclaimer().pending() > 0 ? Room::kBelowLimit : NoRoom();
        }
    }
  }
  return Room::kBelowLimit;
}

Database* Evictor::PickDatabase(bool only_volatile) {
  auto candidates = [&](Database& db) { return only_volatile ? db.expires() : db.size(); };
  size_t total = 0;
  for (int i = 0; i < keyspace_.database_count(); ++i) total += candidates(keyspace_.db(i));
  if (total == 0) return nullptr;
  size_t rank = absl::Uniform<size_t>(random_, 0, total);
  for (int i = 0; i < keyspace_.database_count(); ++i) {
    size_t here = candidates(keyspace_.db(i));
    if (rank < here) return &keyspace_.db(i);
    rank -= here;
  }
  return nullptr;
}

Evictor::Step Evictor::EvictOne(EvictionPolicy policy) {
  bool only_volatile = OnlyVolatile(policy);
  Database* db = PickDatabase(only_volatile);
  if (db == nullptr) return Step::kNothingFound;
  Hold hold(slot_);
  if (!hold.TryPassNow(*db)) return Step::kBusy;
  // A pause may have begun, or the server become a replica, since it was asked to make room.
  if (!MayEvict()) return Step::kNothingFound;
  // The first stripe with a candidate, starting from a random one.
  bool occupied = false;
  Stripe* in_use = nullptr;
  uint32_t start = absl::Uniform<uint32_t>(random_, 0, Database::kStripes);
  for (uint32_t i = 0; i < Database::kStripes; ++i) {
    Stripe& stripe = db->stripe((start + i) % Database::kStripes);
    const auto& count = only_volatile ? stripe.expires : stripe.keys;
    if (count.load(std::memory_order_relaxed) == 0) continue;
    // Another stripe will do, so do not wait for this one.
    if (!stripe.mutex.TryLock()) {
      occupied = true;
      continue;
    }
    const Step step = EvictFrom(hold, *db, stripe, policy, /*in_use_too=*/false);
    stripe.mutex.Unlock();
    if (step != Step::kOnlyInUse) return step;
    in_use = &stripe;
  }
  if (occupied) return Step::kBusy;
  if (in_use == nullptr || !in_use->mutex.TryLock()) return Step::kNothingFound;
  const Step step = EvictFrom(hold, *db, *in_use, policy, /*in_use_too=*/true);
  in_use->mutex.Unlock();
  return step;
}

Evictor::Step Evictor::EvictFrom(Hold& hold, Database& db, Stripe& stripe, EvictionPolicy policy,
                                 bool in_use_too) {
  const int64_t now_ms = keyspace_.clock().NowMs();
  std::optional<Candidate> best = BestOf(stripe, policy, now_ms);
  if (!best) return Step::kNothingFound;
  if (best->worth_evicting == 0 && !in_use_too) return Step::kOnlyInUse;
  Snapshot& snapshot = keyspace_.snapshot();
  if (best->entry->epoch() != snapshot.epoch()) [[unlikely]]
    snapshot.LeaveOut(db, KeyHash::Of(best->key), best->entry);
  WriteScope scope(hold, db, best->key, KeyHash::Of(best->key), now_ms, /*random=*/nullptr,
                   Writer::kServer);
  if (!scope.exists()) return Step::kEvicted;  // it had expired, and is gone as well
  scope.Delete();
  scope.Changed("evicted");
  keyspace_.counters().evicted.fetch_add(1, std::memory_order_relaxed);
  return Step::kEvicted;
}

std::optional<Evictor::Candidate> Evictor::BestOf(Stripe& stripe, EvictionPolicy policy,
                                                  int64_t now_ms) {
  AssertHeld(stripe);
  int wanted = keyspace_.settings().maxmemory_samples;
  bool only_volatile = OnlyVolatile(policy);
  std::optional<Candidate> best;
  uint64_t position = absl::Uniform<uint64_t>(random_, 0, uint64_t{1} << 48);
  for (int buckets = 0; buckets < kMaxBuckets && wanted > 0; ++buckets) {
    position = stripe.table.Scan(position, [&](Entry* entry) {
      AssertHeld(stripe);
      if (wanted <= 0 || (only_volatile && !entry->has_expiry())) return;
      --wanted;
      // A session in use would only come back: it goes when nothing else is found.
      const bool in_use = !stripe.sessions.empty() && stripe.sessions.Find(entry->key());
      const uint64_t worth = in_use ? 0 : WorthEvicting(*entry, policy, now_ms);
      if (best && worth <= best->worth_evicting) return;
      best = Candidate{entry, std::string(entry->key()), worth};
    });
  }
  return best;
}

uint64_t Evictor::WorthEvicting(const Entry& entry, EvictionPolicy policy, int64_t now_ms) {
  switch (policy) {
    case EvictionPolicy::kAllKeysLru:
    case EvictionPolicy::kVolatileLru:
      return static_cast<uint64_t>(access_clock::IdleSeconds(entry.access(), now_ms)) + 1;
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLfu: {
      int decay = keyspace_.settings().lfu_decay_minutes;
      return 256u - access_clock::LfuDecayed(entry.access(), now_ms, decay);
    }
    case EvictionPolicy::kVolatileTtl:
      return std::numeric_limits<uint64_t>::max() - static_cast<uint64_t>(entry.expire_at_ms());
    default:
      return absl::Uniform<uint64_t>(random_, 1, std::numeric_limits<uint64_t>::max());
  }
}

}  // namespace cloakroom
