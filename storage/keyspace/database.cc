#include "storage/keyspace/database.h"

#include <algorithm>
#include <utility>

#include "absl/random/distributions.h"
#include "storage/keyspace/access_clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// A cursor has the stripe above the position in its table's hash space.
constexpr int kPositionBits = 48;
constexpr uint64_t kPositionMask = (uint64_t{1} << kPositionBits) - 1;

}  // namespace

Database::Database(int index, int gate_slots, Keyspace& keyspace)
    : index_(index),
      snapshot_number_(index),
      keyspace_(keyspace),
      gate_(gate_slots),
      stripes_(std::make_unique<Stripe[]>(kStripes)) {}

void Database::NoteAccess(Entry& entry, int64_t now_ms, absl::BitGenRef random) const {
  const StorageSettings& settings = keyspace_.settings();
  if (!UsesLfu(settings.policy)) [[likely]] {
    return entry.set_access(access_clock::LruAt(now_ms));
  }
  entry.set_access(access_clock::LfuTouched(entry.access(), now_ms, settings.lfu_decay_minutes,
                                            settings.lfu_log_factor, random));
}

void Database::Watch(std::string_view key, KeyHash hash, Watcher* watcher, int64_t now_ms) {
  Stripe& stripe = StripeOf(hash);
  AssertHeld(stripe);
  Entry** slot = stripe.table.Find(key, hash);
  stripe.interests.Watch(key, watcher, slot != nullptr && (*slot)->expired(now_ms));
}

void Database::Unwatch(std::string_view key, KeyHash hash, Watcher* watcher) {
  Stripe& stripe = StripeOf(hash);
  AssertHeld(stripe);
  stripe.interests.Unwatch(key, watcher);
}

bool Database::ExpiredSinceWatch(std::string_view key, KeyHash hash, const Watcher* watcher,
                                 int64_t now_ms) {
  Stripe& stripe = StripeOf(hash);
  AssertHeld(stripe);
  Entry** slot = stripe.table.Find(key, hash);
  return slot != nullptr && (*slot)->expired(now_ms) && !stripe.interests.WasExpired(key, watcher);
}

size_t Database::size() const {
  size_t total = 0;
  for (uint32_t i = 0; i < kStripes; ++i) total += stripes_[i].keys.load(std::memory_order_relaxed);
  return total;
}

int64_t Database::changes() const {
  int64_t total = 0;
  for (uint32_t i = 0; i < kStripes; ++i) {
    total += stripes_[i].changes.load(std::memory_order_relaxed);
  }
  return total;
}

bool Database::ReadersWait() const {
  const ChangeLog* log = keyspace_.feed().log();
  return log != nullptr && log->readers_wait();
}

bool Database::TrySeeAll(Hold& hold) {
  if (!ReadersWait()) [[likely]]
    return true;
  const Gate::Time until = gate_.MomentFromNow();
  for (uint32_t i = 0; i < kStripes; ++i) {
    if (!stripes_[i].mutex.TryLockUntil(until)) return false;
    hold.See(*this, stripes_[i]);
    stripes_[i].mutex.Unlock();
  }
  return true;
}

bool Database::has_field_expiry() const {
  for (uint32_t i = 0; i < kStripes; ++i) {
    if (stripes_[i].field_expires.load(std::memory_order_relaxed) > 0) return true;
  }
  return false;
}

size_t Database::expires() const {
  size_t total = 0;
  for (uint32_t i = 0; i < kStripes; ++i) {
    total += stripes_[i].expires.load(std::memory_order_relaxed);
  }
  return total;
}

size_t Database::item_expires() const {
  size_t total = 0;
  for (uint32_t i = 0; i < kStripes; ++i) {
    total += stripes_[i].field_expires.load(std::memory_order_relaxed) +
             stripes_[i].member_expires.load(std::memory_order_relaxed);
  }
  return total;
}

uint64_t Database::Scan(Hold& hold, uint64_t cursor, size_t count,
                        absl::FunctionRef<void(const Entry&)> visit) {
  while (true) {
    if (auto next = ScanUntil(hold, cursor, count, gate_.MomentFromNow(), visit)) return *next;
  }
}

std::optional<uint64_t> Database::TryScan(Hold& hold, uint64_t cursor, size_t count,
                                          absl::FunctionRef<void(const Entry&)> visit) {
  return ScanUntil(hold, cursor, count, gate_.MomentFromNow(), visit);
}

std::optional<uint64_t> Database::ScanUntil(Hold& hold, uint64_t cursor, size_t count,
                                            Gate::Time until,
                                            absl::FunctionRef<void(const Entry&)> visit) {
  uint32_t index = static_cast<uint32_t>(std::min<uint64_t>(cursor >> kPositionBits, kStripes));
  uint64_t position = cursor & kPositionMask;
  size_t visited = 0;
  // The reader must also see that a stripe is empty.
  const bool see_empty = ReadersWait();
  const auto counted = [&](Entry* entry) {
    visit(*entry);
    ++visited;
  };
  for (; index < kStripes; ++index, position = 0) {
    Stripe& stripe = stripes_[index];
    if (stripe.keys.load(std::memory_order_relaxed) == 0 && !see_empty) continue;
    const uint64_t here = (uint64_t{index} << kPositionBits) | position;
    if (visited >= count) return here;
    if (!stripe.mutex.TryLockUntil(until)) {
      if (here == cursor) return std::nullopt;
      return here;
    }
    hold.See(*this, stripe);
    do {
      position = stripe.table.Scan(position, counted);
    } while (position != 0 && visited < count);
    stripe.mutex.Unlock();
    if (position != 0) return (uint64_t{index} << kPositionBits) | position;
  }
  return 0;
}

uint32_t Database::RandomStripe(absl::BitGenRef random) const {
  size_t total = size();
  size_t rank = total == 0 ? 0 : absl::Uniform<size_t>(random, 0, total);
  for (uint32_t i = 0; i < kStripes; ++i) {
    size_t keys = stripes_[i].keys.load(std::memory_order_relaxed);
    if (rank < keys) return i;
    rank -= keys;
  }
  return 0;
}

Database::Drawn Database::RandomKey(Hold& hold, absl::BitGenRef random, int64_t now_ms) {
  // Draws again if the key has expired. Where expired keys stay there may be many of them.
  constexpr int kTries = 100;
  constexpr int kTriesAmongExpired = 10'000;
  const int tries = keyspace_.settings().keeps_expired(now_ms) ? kTriesAmongExpired : kTries;
  const Gate::Time until = gate_.MomentFromNow();
  Drawn drawn;
  for (int i = 0; i < tries && size() > 0; ++i) {
    Stripe& stripe = stripes_[RandomStripe(random)];
    if (!stripe.mutex.TryLockUntil(until)) {
      drawn.occupied = true;
      continue;
    }
    const Entry* entry = stripe.table.Random(random);
    if (entry != nullptr && !entry->expired(now_ms)) {
      hold.See(*this, stripe);
      drawn.key = std::string(entry->key());
    }
    stripe.mutex.Unlock();
    if (drawn.key) break;
  }
  if (!drawn.key && !TrySeeAll(hold)) drawn.occupied = true;
  return drawn;
}

int64_t Database::SampleTtlMs(absl::BitGenRef random, int64_t now_ms) {
  constexpr int kSamples = 20;
  int64_t sum = 0;
  int64_t found = 0;
  if (expires() == 0) return 0;
  for (int i = 0; i < kSamples; ++i) {
    Stripe& stripe = stripes_[RandomStripe(random)];
    MutexLock lock(stripe.mutex);
    const Entry* entry = stripe.table.Random(random);
    if (entry == nullptr || !entry->has_expiry() || entry->expired(now_ms)) continue;
    sum += entry->expire_at_ms() - now_ms;
    ++found;
  }
  return found == 0 ? 0 : sum / found;
}

}  // namespace cloakroom
