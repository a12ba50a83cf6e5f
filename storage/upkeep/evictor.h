#ifndef CLOAKROOM_STORAGE_UPKEEP_EVICTOR_H_
#define CLOAKROOM_STORAGE_UPKEEP_EVICTOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/random/random.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

class Hold;

/// Keeps the memory in use below maxmemory by removing keys according to maxmemory-policy.
///
/// It evicts the best of `maxmemory-samples` keys from a random stripe (the hash spreads keys over
/// stripes, so a sample of one stripe is a sample of the database): the one idle longest (LRU),
/// used least (LFU), due first (TTL), or just any (random).
///
/// The memory in use is known to within 64 KB for each event loop (MemoryMeter::RoughBytes).
///
/// Thread rule: each thread has its own; the thread must have no hold.
class Evictor {
 public:
  Evictor(Keyspace& keyspace, GateSlot slot) : keyspace_(keyspace), slot_(slot) {}

  enum class Room {
    kBelowLimit,  ///< there is room
    kNoRoom,      ///< over the limit, and the policy lets no key go
    kBusy,        ///< over the limit, and what could be evicted is occupied
  };
  /// Evicts until there is room, but not during a pause; at most for one slice (some hundred keys),
  /// after which a command may go ahead and the next one continues to evict.
  Room MakeRoom();

  /// More than maxmemory is in use, without what it does not count (Keyspace::uncounted_bytes).
  bool OverLimit() const;

 private:
  struct Candidate {
    Entry* entry = nullptr;
    std::string key;
    uint64_t worth_evicting = 0;
  };
  /// kOnlyInUse: nothing but sessions in use (Stripe::sessions), which go when nothing else is
  /// left.
  enum class Step { kEvicted, kNothingFound, kOnlyInUse, kBusy };

  /// No pause is on, and keys are not left to a primary.
  bool MayEvict() const;
  /// Flushed memory will be free soon, so nothing has to be evicted for it. A snapshot that still
  /// wanted it must do without.
  bool FlushedMemoryIsComing();
  Room NoRoom() const;
  Step EvictOne(EvictionPolicy policy);
  /// The stripe is held.
  Step EvictFrom(Hold& hold, Database& db, Stripe& stripe, EvictionPolicy policy, bool in_use_too);
  Database* PickDatabase(bool only_volatile);
  std::optional<Candidate> BestOf(Stripe& stripe, EvictionPolicy policy, int64_t now_ms);
  uint64_t WorthEvicting(const Entry& entry, EvictionPolicy policy, int64_t now_ms);

  Keyspace& keyspace_;
  const GateSlot slot_;
  absl::InsecureBitGen random_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_UPKEEP_EVICTOR_H_
