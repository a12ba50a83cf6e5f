#include "replication/rdb/rdb_decoder.h"

#include "absl/strings/str_cat.h"
#include "replication/rdb/rdb_codec.h"

namespace cloakroom {
namespace {

absl::Status NotOurs(uint8_t type) {
  const std::string_view name = rdb::TypeName(type);
  return absl::UnimplementedError(absl::StrCat("a value of type ", type, " (",
                                               absl::string_view(name.data(), name.size()),
                                               "), which this version of Cloakroom does not have"));
}

absl::Status Ended(const RdbCursor& cursor) {
  if (cursor.missing() > 0) return absl::DataLossError("the value ends too early");
  if (cursor.ok() && !cursor.at_end()) return absl::DataLossError("bytes behind the value");
  return cursor.status();
}

}  // namespace

absl::Status RdbDecoder::Decode(uint8_t type, rdb::Dialect dialect, std::string_view value,
                                std::string_view item_expiries) {
  value_.Clear();
  const RdbLayout* const layout = FindRdbLayout(type, dialect).layout;
  if (layout == nullptr) return NotOurs(type);
  RdbDecoding decoding{RdbCursor(value), value_, limits_, first_, second_, item_expiries};
  layout->decode(decoding);
  absl::Status status = Ended(decoding.cursor);
  if (!status.ok()) value_.Clear();
  return status;
}

}  // namespace cloakroom
