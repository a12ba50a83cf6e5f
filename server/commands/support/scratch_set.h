#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_SET_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_SET_H_

#include <cstddef>
#include <string_view>

#include "server/execution/command_table.h"
#include "storage/access/write_scope.h"
#include "storage/values/encoding_limits.h"
#include "storage/values/memory_slot.h"
#include "storage/values/set.h"

namespace cloakroom {

/// A set outside the keyspace, in which set commands build their result. Its members do not expire,
/// whatever those of its sources do. It takes over the members
/// of a large set in O(1), and copies only what it then changes (CopyPayload).
///
/// Thread rule: one thread at a time. Needs no stripe except those of its source sets, or shared
/// copies of these.
class ScratchSet {
 public:
  explicit ScratchSet(const EncodingLimits& limits) : limits_(limits), set_(slot_, limits_) {}
  ScratchSet(const ScratchSet&) = delete;
  ScratchSet& operator=(const ScratchSet&) = delete;

  Set view() const { return set_.view(); }
  size_t size() const { return view().size(); }

  void Add(std::string_view member) { set_.Add(member); }
  void AddAll(const Set& other);
  void RemoveAll(const Set& other);

  /// Makes the set the value of a key, in place of the old value; it is empty afterwards. The log
  /// gets `command`, which must have the same result. REQUIRES: size() > 0.
  void MoveInto(WriteScope& to, int db, CommandArguments command);

 private:
  const EncodingLimits limits_;
  MemorySlot slot_;
  MutableSet set_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCRATCH_SET_H_
