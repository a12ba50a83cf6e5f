#ifndef CLOAKROOM_REPLICATION_RDB_HASH_BUILDER_H_
#define CLOAKROOM_REPLICATION_RDB_HASH_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/values/encoding_limits.h"
#include "storage/values/items.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Puts a hash together from fields that are thought to be distinct, without comparing each with
/// all before it. Its encoding is the one that commands would have left.
///
/// Thread rule: one thread at a time; the slot is nobody else's meanwhile.
class HashBuilder {
 public:
  /// REQUIRES: the slot is absent.
  HashBuilder(ValueSlot& slot, const EncodingLimits& limits);

  /// False, and the hash is useless, when there was such a field. kNever: it does not expire.
  bool Add(std::string_view field, std::string_view value, int64_t expires_at_ms);

 private:
  /// Which fields a packed block may have: of a bit for each, by a cheap hash. Comparing a field
  /// with all others is only needed when its bit is set.
  class Seen {
   public:
    /// Whether it was there for certain not, and is from now on.
    bool AddNew(std::string_view field);

   private:
    static constexpr size_t kBits = 2048;
    uint64_t bits_[kBits / 64] = {};
  };

  bool AddPacked(std::string_view field, std::string_view value, int64_t expires_at_ms);

  ValueSlot& slot_;
  const EncodingLimits& limits_;
  MutableItems items_;
  Seen seen_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_HASH_BUILDER_H_
