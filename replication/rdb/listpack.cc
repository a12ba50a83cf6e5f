#include "replication/rdb/listpack.h"

#include "storage/values/stream_element.h"

namespace cloakroom {
namespace {

constexpr size_t kMaxBackLength = 5;

int64_t SignExtended(uint64_t value, unsigned bits) {
  const unsigned unused = 64 - bits;
  return static_cast<int64_t>(value << unused) >> unused;
}

/// Whether an element's own size is behind it: a reader that walks backwards relies on that.
bool TakeBackLength(RdbCursor& cursor, size_t element_size) {
  char expected[kMaxBackLength];
  const auto size = static_cast<size_t>(StoreListpackBackLength(expected, element_size) - expected);
  return cursor.Take(size) == std::string_view(expected, size);
}

}  // namespace

ListpackReader::ListpackReader(std::string_view bytes) : cursor_(bytes) {
  if (cursor_.Number<uint32_t>() != bytes.size()) cursor_.Fail("size");
  expected_ = cursor_.Number<uint16_t>();
}

bool ListpackReader::Next(RdbText& element) {
  const size_t start = cursor_.position();
  const uint8_t encoding = cursor_.Byte();
  if (!cursor_.ok()) return false;
  if (encoding == kListpackEnd) {
    complete_ = cursor_.at_end() && (expected_ == kUnknownListpackCount || expected_ == count_);
    cursor_.Fail("end");
    return false;
  }
  if (!ReadElement(encoding, element)) return false;
  if (!TakeBackLength(cursor_, cursor_.position() - start)) cursor_.Fail("size of an element");
  count_ += 1;
  return cursor_.ok();
}

bool ListpackReader::ReadElement(uint8_t encoding, RdbText& element) {
  if (encoding < 0x80) {
    element.Set(int64_t{encoding});
  } else if (encoding < 0xc0) {
    element.Set(cursor_.Take(encoding & 0x3f));
  } else if (encoding < 0xe0) {
    element.Set(SignExtended((encoding & 0x1fu) << 8 | cursor_.Byte(), 13));
  } else if (encoding < 0xf0) {
    element.Set(cursor_.Take((encoding & 0x0fu) << 8 | cursor_.Byte()));
  } else if (encoding == 0xf0) {
    element.Set(cursor_.Take(cursor_.Number<uint32_t>()));
  } else if (encoding == 0xf1) {
    element.Set(int64_t{cursor_.Number<int16_t>()});
  } else if (encoding == 0xf2) {
    const uint64_t low = cursor_.Number<uint16_t>();
    element.Set(SignExtended(low | uint64_t{cursor_.Byte()} << 16, 24));
  } else if (encoding == 0xf3) {
    element.Set(int64_t{cursor_.Number<int32_t>()});
  } else if (encoding == 0xf4) {
    element.Set(cursor_.Number<int64_t>());
  } else {
    cursor_.Fail("encoding");
  }
  return cursor_.ok();
}

}  // namespace cloakroom
