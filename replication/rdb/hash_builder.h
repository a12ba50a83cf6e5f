#ifndef CLOAKROOM_REPLICATION_RDB_HASH_BUILDER_H_
#define CLOAKROOM_REPLICATION_RDB_HASH_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/values/encoding_limits.h"
#include "storage/values/items.h"
#include "storage/values/value.h"

namespace cloakroom {

/// Builds a hash from fields that are assumed to be distinct, without comparing each with all
/// before it. The hash gets the encoding that commands would have left.
///
/// Thread rule: one thread at a time, which has the slot to itself.
class HashBuilder {
 public:
  /// REQUIRES: the slot is absent.
  HashBuilder(ValueSlot& slot, const EncodingLimits& limits);

  /// False: there was such a field, and the hash is useless. kNever: it does not expire.
  bool Add(std::string_view field, std::string_view value, int64_t expires_at_ms);

 private:
  /// Which fields a packed block may have: one bit for each, chosen by a cheap hash. A field must
  /// be compared with all others only if its bit is set.
  class Seen {
   public:
    /// Adds the field; true if it was certainly not there before.
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
