#ifndef CLOAKROOM_REPLICATION_RDB_RDB_STRING_BUFFER_H_
#define CLOAKROOM_REPLICATION_RDB_RDB_STRING_BUFFER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "replication/rdb/rdb_cursor.h"
#include "storage/base/integer_text.h"

namespace cloakroom {

/// Restores strings of a file, one at a time, in memory that is reused. It grows to what a
/// compressed string can become, at most kMaxLzfExpansion times its bytes; more than kKept is freed
/// with the next string. Thread rule: one thread at a time.
class RdbStringBuffer {
 public:
  /// Valid until the next call, and as long as the bytes of `string`. DataLoss: the compressed
  /// bytes are damaged.
  absl::StatusOr<std::string_view> Restore(const RdbString& string);

 private:
  static constexpr size_t kKept = 1 << 20;

  std::unique_ptr<char[]> room_;
  size_t capacity_ = 0;
  IntegerText digits_{0};
};

/// The same for a single string.
absl::StatusOr<std::string> Restored(const RdbString& string);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_RDB_STRING_BUFFER_H_
