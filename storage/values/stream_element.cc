#include "storage/values/stream_element.h"

#include <optional>
#include <utility>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

enum : uint8_t {
  kSmallString = 0x80,
  kInteger13 = 0xc0,
  kMediumString = 0xe0,
  kLongString = 0xf0,
  kInteger16 = 0xf1,
  kInteger24 = 0xf2,
  kInteger32 = 0xf3,
  kInteger64 = 0xf4,
};

constexpr size_t kMostSmallString = 63;
constexpr size_t kMostMediumString = 4095;
constexpr size_t kMostDigits = 20;
constexpr int64_t kLeast13 = -4096;
constexpr int64_t kMost13 = 4095;
constexpr int64_t kLeast24 = -(1 << 23);
constexpr int64_t kMost24 = (1 << 23) - 1;

std::optional<int64_t> IntegerOf(std::string_view text) {
  // Most texts are no numbers, as their first byte shows.
  if (text.empty() || text.size() > kMostDigits || text[0] > '9') return std::nullopt;
  return ParseCanonicalInt(text);
}

size_t StringHeadSize(size_t size) {
  return size <= kMostSmallString ? 1 : size <= kMostMediumString ? 2 : 1 + sizeof(uint32_t);
}

/// A number of `bits` bits in two's complement.
int64_t Signed(uint64_t number, unsigned bits) {
  const uint64_t sign = uint64_t{1} << (bits - 1);
  return static_cast<int64_t>((number ^ sign) - sign);
}

size_t StringSizeAt(const char* at) {
  const uint8_t head = ByteAt(at);
  if (head < kInteger13) return head & kMostSmallString;
  if (head < kLongString) return (size_t{head} & 0x0f) << 8 | ByteAt(at, 1);
  return LoadUnaligned<uint32_t>(at + 1);
}

bool IsString(uint8_t head) {
  return (head >= kSmallString && head < kInteger13) ||
         (head >= kMediumString && head <= kLongString);
}

}  // namespace

size_t StreamElementSize(int64_t integer) {
  if (integer >= 0 && integer <= 127) return 1;
  if (integer >= kLeast13 && integer <= kMost13) return 2;
  if (std::in_range<int16_t>(integer)) return 3;
  if (integer >= kLeast24 && integer <= kMost24) return 4;
  return std::in_range<int32_t>(integer) ? 5 : 9;
}

size_t StreamElementSize(std::string_view text) {
  if (const std::optional<int64_t> integer = IntegerOf(text)) return StreamElementSize(*integer);
  return StringHeadSize(text.size()) + text.size();
}

char* StoreStreamElement(char* to, int64_t integer) {
  const auto head = [&](uint8_t byte) { return StoreUnaligned(to, byte); };
  switch (StreamElementSize(integer)) {
    case 1:
      return head(static_cast<uint8_t>(integer));
    case 2: {
      const uint64_t bits = static_cast<uint64_t>(integer) & 0x1fff;
      return StoreUnaligned(head(static_cast<uint8_t>(kInteger13 | bits >> 8)),
                            static_cast<uint8_t>(bits));
    }
    case 3:
      return StoreUnaligned(head(kInteger16), static_cast<int16_t>(integer));
    case 4:
      return StoreUnaligned(StoreUnaligned(head(kInteger24), static_cast<uint16_t>(integer)),
                            static_cast<uint8_t>(integer >> 16));
    case 5:
      return StoreUnaligned(head(kInteger32), static_cast<int32_t>(integer));
    default:
      return StoreUnaligned(head(kInteger64), integer);
  }
}

char* StoreStreamElement(char* to, std::string_view text) {
  if (const std::optional<int64_t> integer = IntegerOf(text)) {
    return StoreStreamElement(to, *integer);
  }
  if (text.size() <= kMostSmallString) {
    to = StoreUnaligned(to, static_cast<uint8_t>(kSmallString | text.size()));
  } else if (text.size() <= kMostMediumString) {
    to = StoreUnaligned(to, static_cast<uint8_t>(kMediumString | text.size() >> 8));
    to = StoreUnaligned(to, static_cast<uint8_t>(text.size()));
  } else {
    to = StoreUnaligned(to, uint8_t{kLongString});
    to = StoreUnaligned(to, static_cast<uint32_t>(text.size()));
  }
  return StoreBytes(to, text);
}

size_t SizeOfStreamElementAt(const char* at) {
  const uint8_t head = ByteAt(at);
  if (head < kSmallString) return 1;
  if (IsString(head)) {
    const size_t size = StringSizeAt(at);
    return (head < kInteger13 ? 1 : head < kLongString ? 2 : 1 + sizeof(uint32_t)) + size;
  }
  switch (head) {
    case kInteger16:
      return 3;
    case kInteger24:
      return 4;
    case kInteger32:
      return 5;
    case kInteger64:
      return 9;
    default:
      return 2;
  }
}

StreamText TakeStreamElement(const char*& at) {
  const char* const start = at;
  at += SizeOfStreamElementAt(start);
  const uint8_t head = ByteAt(start);
  if (head < kSmallString) return StreamText(int64_t{head});
  if (IsString(head)) {
    const size_t size = StringSizeAt(start);
    return StreamText(std::string_view(at - size, size));
  }
  switch (head) {
    case kInteger16:
      return StreamText(int64_t{LoadUnaligned<int16_t>(start + 1)});
    case kInteger24: {
      const uint64_t low = LoadUnaligned<uint16_t>(start + 1);
      return StreamText(Signed(low | uint64_t{ByteAt(start, 3)} << 16, 24));
    }
    case kInteger32:
      return StreamText(int64_t{LoadUnaligned<int32_t>(start + 1)});
    case kInteger64:
      return StreamText(LoadUnaligned<int64_t>(start + 1));
    default:
      return StreamText(Signed((uint64_t{head} & 0x1f) << 8 | ByteAt(start, 1), 13));
  }
}

size_t ListpackSize(size_t element_size) {
  // Redis does not use the greatest number of two bytes, nor that of three or four.
  const size_t behind = element_size <= 127          ? 1
                        : element_size < 16'383      ? 2
                        : element_size < 2'097'151   ? 3
                        : element_size < 268'435'455 ? 4
                                                     : 5;
  return element_size + behind;
}

char* StoreListpackBackLength(char* to, size_t element_size) {
  // It is read from its last byte on: the last byte has the low bits, and all but the first say
  // that more come before.
  const size_t behind = ListpackSize(element_size) - element_size;
  for (size_t i = 0; i < behind; ++i) {
    const size_t bits = element_size >> (7 * (behind - 1 - i)) & 0x7f;
    *to++ = static_cast<char>(i == 0 ? bits : bits | 0x80);
  }
  return to;
}

size_t VarintSize(uint64_t number) {
  size_t size = 1;
  while (number >>= 7) ++size;
  return size;
}

char* StoreVarint(char* to, uint64_t number) {
  for (; number >= 0x80; number >>= 7) *to++ = static_cast<char>(number | 0x80);
  *to++ = static_cast<char>(number);
  return to;
}

uint64_t TakeVarint(const char*& at) {
  uint64_t number = 0;
  for (unsigned shift = 0;; shift += 7) {
    const uint64_t byte = ByteAt(at++);
    number |= (byte & 0x7f) << shift;
    if (byte < 0x80) return number;
  }
}

}  // namespace cloakroom
