#include "server/commands/support/string_size.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "protocol/numbers.h"
#include "server/config/config.h"
#include "storage/base/blob.h"

namespace cloakroom {
namespace {

/// A bit field may reach beyond the last byte that its offset can name.
constexpr uint64_t kFieldBytes = 8;

}  // namespace

uint64_t MaxStringSize(Call& call) {
  int64_t limit = call.server().settings().proto_max_bulk_len_bytes;
  return std::min(static_cast<uint64_t>(limit), uint64_t{Blob::kMaxSize} - kFieldBytes);
}

bool CheckStringSize(Call& call, uint64_t size) {
  if (size <= MaxStringSize(call)) return true;
  call.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

uint64_t TakeBitOffset(Arguments& args, int width) {
  std::string_view text = args.String();
  const bool counts_fields = width > 0 && text.starts_with('#');
  if (counts_fields) text.remove_prefix(1);
  std::optional<int64_t> offset = ParseInteger(text);
  if (offset && counts_fields && __builtin_mul_overflow(*offset, int64_t{width}, &*offset)) {
    offset.reset();
  }
  if (offset && *offset >= 0 && static_cast<uint64_t>(*offset) / 8 < MaxStringSize(args.call())) {
    return static_cast<uint64_t>(*offset);
  }
  args.Fail("ERR bit offset is not an integer or out of range");
  return 0;
}

}  // namespace cloakroom
