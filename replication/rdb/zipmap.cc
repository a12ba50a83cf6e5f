#include "replication/rdb/zipmap.h"

namespace cloakroom {
namespace {

constexpr uint8_t kZipmapEnd = 0xff;
constexpr uint8_t kLongSize = 254;

}  // namespace

ZipmapReader::ZipmapReader(std::string_view bytes) : cursor_(bytes) { expected_ = cursor_.Byte(); }

bool ZipmapReader::Next(RdbText& element) {
  uint32_t size = cursor_.Byte();
  if (!cursor_.ok()) return false;
  const bool is_value = count_ % 2 == 1;
  if (size == kZipmapEnd) {
    complete_ =
        cursor_.at_end() && !is_value && (expected_ >= kLongSize || expected_ * 2 == count_);
    cursor_.Fail("end");
    return false;
  }
  if (size == kLongSize) size = cursor_.Number<uint32_t>();
  const uint8_t unused = is_value ? cursor_.Byte() : 0;
  element.Set(cursor_.Take(size));
  cursor_.Take(unused);
  count_ += 1;
  return cursor_.ok();
}

}  // namespace cloakroom
