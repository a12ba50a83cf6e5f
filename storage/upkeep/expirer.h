#ifndef CLOAKROOM_STORAGE_UPKEEP_EXPIRER_H_
#define CLOAKROOM_STORAGE_UPKEEP_EXPIRER_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

class Hold;

/// Removes expired keys and fields of hashes that no command asks for.
///
/// It visits all stripes whose index says that something may be due, and holds each lock only for a
/// slice of a few groups of buckets (some tens of microseconds), so a million keys that expire in
/// the same second never delay a command noticeably. It skips a closed database until its next
/// pass.
///
/// Thread rule: one background thread.
class Expirer {
 public:
  explicit Expirer(Keyspace& keyspace) : keyspace_(keyspace) {}

  /// Makes one pass over everything, or does nothing during a pause. Returns how many keys and
  /// fields it removed. Calls `between` after each slice, with no lock held; a false result ends
  /// the pass.
  size_t Run(absl::FunctionRef<bool()> between);

 private:
  struct Slice {
    size_t removed = 0;
    bool finished = true;
    bool passed = true;  ///< else the database is closed, and nothing was done
  };
  /// False: the pass is to end.
  bool RunDatabase(Database& db, absl::FunctionRef<bool()> between, size_t* removed);
  Slice RunSlice(Database& db, Stripe& stripe, int64_t now_ms);
  size_t RemoveDue(Hold& hold, Database& db, std::string_view key, int64_t now_ms);

  Keyspace& keyspace_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_UPKEEP_EXPIRER_H_
