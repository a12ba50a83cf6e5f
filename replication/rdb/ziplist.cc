#include "replication/rdb/ziplist.h"

namespace cloakroom {
namespace {

constexpr uint8_t kZiplistEnd = 0xff;
constexpr uint8_t kLongPrevious = 0xfe;
constexpr uint32_t kUnknownZiplistCount = 0xffff;

}  // namespace

ZiplistReader::ZiplistReader(std::string_view bytes) : cursor_(bytes) {
  if (cursor_.Number<uint32_t>() != bytes.size()) cursor_.Fail("size");
  tail_ = cursor_.Number<uint32_t>();
  expected_ = cursor_.Number<uint16_t>();
}

bool ZiplistReader::Next(RdbText& element) {
  const size_t start = cursor_.position();
  const uint8_t previous = cursor_.Byte();
  if (!cursor_.ok()) return false;
  if (previous == kZiplistEnd) {
    const bool right_count = expected_ == kUnknownZiplistCount || expected_ == count_;
    complete_ = cursor_.at_end() && right_count && tail_ == (count_ == 0 ? start : last_);
    cursor_.Fail("end");
    return false;
  }
  // Redis leaves a small size in five bytes when it makes room for other elements.
  const size_t size = previous == kLongPrevious ? cursor_.Number<uint32_t>() : previous;
  if (size != (count_ == 0 ? 0 : start - last_)) cursor_.Fail("size of the element before");
  last_ = start;
  count_ += 1;
  return ReadElement(cursor_.Byte(), element);
}

bool ZiplistReader::ReadElement(uint8_t encoding, RdbText& element) {
  if (encoding < 0x40) {
    element.Set(cursor_.Take(encoding));
  } else if (encoding < 0x80) {
    element.Set(cursor_.Take((encoding & 0x3fu) << 8 | cursor_.Byte()));
  } else if (encoding < 0xc0) {
    element.Set(cursor_.Take(__builtin_bswap32(cursor_.Number<uint32_t>())));
  } else if (encoding == 0xc0) {
    element.Set(int64_t{cursor_.Number<int16_t>()});
  } else if (encoding == 0xd0) {
    element.Set(int64_t{cursor_.Number<int32_t>()});
  } else if (encoding == 0xe0) {
    element.Set(cursor_.Number<int64_t>());
  } else if (encoding == 0xf0) {
    const int64_t low = cursor_.Number<uint16_t>();
    element.Set(low + int64_t{cursor_.Number<int8_t>()} * 65536);
  } else if (encoding == 0xfe) {
    element.Set(int64_t{cursor_.Number<int8_t>()});
  } else if (encoding >= 0xf1 && encoding <= 0xfd) {
    element.Set(int64_t{encoding & 0x0f} - 1);
  } else {
    cursor_.Fail("encoding");
  }
  return cursor_.ok();
}

}  // namespace cloakroom
