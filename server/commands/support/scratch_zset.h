#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_ZSET_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_ZSET_H_

#include <cstddef>

#include "server/commands/support/store_result.h"
#include "server/execution/call.h"
#include "storage/values/memory_slot.h"
#include "storage/values/zset.h"

namespace cloakroom {

/// A sorted set outside the keyspace, in which commands build a result that they store.
///
/// Thread rule: one thread at a time. Needs no stripe.
class ScratchZset {
 public:
  explicit ScratchZset(const EncodingLimits& limits) : limits_(limits), zset_(slot_, limits_) {}
  ScratchZset(const ScratchZset&) = delete;
  ScratchZset& operator=(const ScratchZset&) = delete;

  Zset view() const { return zset_.view(); }
  size_t size() const { return view().size(); }

  ValueView value() const { return slot_.value(); }

  /// See MutableZset::Prepare.
  void Prepare(size_t members, size_t longest = 0) { zset_.Prepare(members, longest); }
  void Add(const ScoredItem& item) { zset_.Put(item.member, item.score); }
  /// Takes over all members of another, of which it copies only what then changes.
  /// REQUIRES: this one is empty.
  void Adopt(const SharedValue& other);
  void RemoveRange(size_t first, size_t count) { zset_.RemoveRange(first, count); }

  /// Makes the sorted set the value of a key, in place of the old value but with the expiry
  /// `expire_at_ms`; it is empty afterwards. REQUIRES: size() > 0, and the scope logs the change as
  /// a command (LogStored).
  void MoveInto(WriteScope& to, int64_t expire_at_ms = kNoExpiry) {
    StoreResult(slot_, to, expire_at_ms);
  }

 private:
  const EncodingLimits limits_;
  MemorySlot slot_;
  MutableZset zset_;
};

/// The arguments with the keys of a command that stores: the target, and from `first_source` up to
/// `end_source` those that it reads.
struct StoreKeys {
  size_t target;
  size_t first_source;
  size_t end_source;
};

/// Ends a command that stores a sorted set: makes `result` the value of the target, or removes that
/// key if the result is empty, and replies with the number of members. The log repeats the command,
/// so what it reads is kept for the log.
void StoreZset(Call& call, ScratchZset& result, KeyEvent event, const StoreKeys& keys);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_ZSET_H_
