#ifndef CLOAKROOM_STORAGE_UPKEEP_EVICTOR_H_
#define CLOAKROOM_STORAGE_UPKEEP_EVICTOR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/random/random.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

class Hold;

/// Keeps the memory in use below maxmemory by removing keys, as maxmemory-policy says.
///
/// A key to go is the best of `maxmemory-samples` taken from a random stripe (keys are spread over
/// stripes by hash, so a sample of one stripe is a sample of the database): the one idle longest
/// (LRU), used least (LFU), due first (TTL), or just any (random).
///
/// What is in use is known to within 64 KB for each event loop (MemoryMeter::RoughBytes).
///
/// Thread rule: each thread has its own; no hold may be held.
class Evictor {
 public:
  Evictor(Keyspace& keyspace, GateSlot slot) : keyspace_(keyspace), slot_(slot) {}

  enum class Room {
    kBelowLimit,  ///< there is room
    kNoRoom,      ///< over the limit, and the policy lets nothing go
    kBusy,        ///< over the limit, and those who could free some are occupied
  };
  /// Evicts until there is room, but not during a pause; at most for one slice (some hundred keys),
  /// after which a command may go ahead and the next one goes on evicting.
  Room MakeRoom();

  /// More is in use than maxmemory, what it does not count aside (Keyspace::uncounted_bytes).
  bool OverLimit() const;

 private:
  struct Candidate {
    Entry* entry = nullptr;
    std::string key;
    uint64_t worth_evicting = 0;
  };
  enum class Step { kEvicted, kNothingFound, kBusy };

  /// What was flushed is on its way to the allocator, so nothing has to be evicted for it. Where a
  /// snapshot still wanted it, it does without.
  bool FlushedMemoryIsComing();
  Room NoRoom() const;
  Step EvictOne(EvictionPolicy policy);
  /// The stripe is held.
  Step EvictFrom(Hold& hold, Database& db, Stripe& stripe, EvictionPolicy policy);
  Database* PickDatabase(bool only_volatile);
  std::optional<Candidate> BestOf(Stripe& stripe, EvictionPolicy policy, int64_t now_ms);
  uint64_t WorthEvicting(const Entry& entry, EvictionPolicy policy, int64_t now_ms);

  Keyspace& keyspace_;
  const GateSlot slot_;
  absl::InsecureBitGen random_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_UPKEEP_EVICTOR_H_
