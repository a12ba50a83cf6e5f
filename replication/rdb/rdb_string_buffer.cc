#include "replication/rdb/rdb_string_buffer.h"

#include <algorithm>

#include "replication/files/lzf.h"

namespace cloakroom {

absl::StatusOr<std::string_view> RdbStringBuffer::Restore(const RdbString& string) {
  if (string.kind == RdbString::Kind::kPlain) [[likely]]
    return string.bytes;
  if (string.kind == RdbString::Kind::kInteger) {
    digits_ = IntegerText(string.integer);
    return digits_.view();
  }
  const bool too_large = capacity_ > kKept && string.size <= kKept;
  if (string.size > capacity_ || too_large) {
    capacity_ = std::max<size_t>(string.size, 4096);
    room_.reset(new char[capacity_]);  // not make_unique, which would clear it
  }
  if (!LzfDecompress(string.bytes, room_.get(), string.size)) {
    return absl::DataLossError(absl::string_view(kInvalidLzf.data(), kInvalidLzf.size()));
  }
  return std::string_view(room_.get(), string.size);
}

absl::StatusOr<std::string> Restored(const RdbString& string) {
  RdbStringBuffer buffer;
  const absl::StatusOr<std::string_view> bytes = buffer.Restore(string);
  if (!bytes.ok()) return bytes.status();
  return std::string(*bytes);
}

}  // namespace cloakroom
