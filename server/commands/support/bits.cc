#include "server/commands/support/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr size_t kWord = sizeof(uint64_t);
/// Sources are combined a block at a time, so that the result stays in the nearest cache.
constexpr size_t kBlock = 8 * 1024;

/// The bits of a byte from `first` to `last`, 0 being its highest.
uint8_t Mask(uint64_t first, uint64_t last) {
  return static_cast<uint8_t>((0xffu >> first) & (0xffu << (7 - last)));
}

uint64_t CountBytes(std::string_view bytes) {
  // Four sums, so that the counts of one round do not wait for each other.
  uint64_t sums[4] = {};
  size_t i = 0;
  for (; i + 4 * kWord <= bytes.size(); i += 4 * kWord) {
    for (size_t lane = 0; lane < 4; ++lane) {
      const uint64_t word = LoadUnaligned<uint64_t>(bytes.data() + i + lane * kWord);
      sums[lane] += static_cast<uint64_t>(std::popcount(word));
    }
  }
  for (; i < bytes.size(); ++i) sums[0] += static_cast<uint64_t>(std::popcount(ByteAt(bytes, i)));
  return sums[0] + sums[1] + sums[2] + sums[3];
}

/// The first byte from `from` to before `to` that is not `fill`; `to` when there is none.
uint64_t SkipBytes(std::string_view bytes, uint8_t fill, uint64_t from, uint64_t to) {
  const uint64_t filled = fill == 0 ? 0 : ~uint64_t{0};
  while (from + kWord <= to && LoadUnaligned<uint64_t>(bytes.data() + from) == filled) {
    from += kWord;
  }
  while (from < to && ByteAt(bytes, from) == fill) ++from;
  return from;
}

/// The first bit of a byte that is set, 0 being its highest. REQUIRES: one is set.
uint64_t FirstSet(uint8_t byte) { return static_cast<uint64_t>(std::countl_zero(byte)); }

template <typename Combine>
void CombineInto(char* out, std::string_view source, Combine combine) {
  size_t i = 0;
  for (; i + kWord <= source.size(); i += kWord) {
    StoreUnaligned(out + i, combine(LoadUnaligned<uint64_t>(out + i),
                                    LoadUnaligned<uint64_t>(source.data() + i)));
  }
  for (; i < source.size(); ++i) {
    out[i] = static_cast<char>(combine(static_cast<uint8_t>(out[i]), ByteAt(source, i)));
  }
}

/// The part of a source that lies in a block of `out`.
std::string_view Part(std::string_view source, size_t at, size_t size) {
  return at < source.size() ? source.substr(at, size) : std::string_view();
}

void CombineBlock(BitOperation operation, std::string_view source, char* out, size_t size) {
  switch (operation) {
    case BitOperation::kAnd:
      CombineInto(out, source, [](auto a, auto b) { return a & b; });
      std::memset(out + source.size(), 0, size - source.size());
      break;
    case BitOperation::kOr:
      CombineInto(out, source, [](auto a, auto b) { return a | b; });
      break;
    case BitOperation::kXor:
      CombineInto(out, source, [](auto a, auto b) { return a ^ b; });
      break;
    case BitOperation::kNot:
      CombineInto(out, source, [](auto, auto b) { return ~b; });
      break;
  }
}

}  // namespace

uint64_t CountBits(std::string_view bytes, uint64_t first, uint64_t last) {
  const uint64_t first_byte = first / 8;
  const uint64_t last_byte = last / 8;
  if (first_byte == last_byte) {
    return static_cast<uint64_t>(
        std::popcount(static_cast<uint8_t>(ByteAt(bytes, first_byte) & Mask(first % 8, last % 8))));
  }
  const uint8_t head = ByteAt(bytes, first_byte) & Mask(first % 8, 7);
  const uint8_t tail = ByteAt(bytes, last_byte) & Mask(0, last % 8);
  return static_cast<uint64_t>(std::popcount(head)) + static_cast<uint64_t>(std::popcount(tail)) +
         CountBytes(bytes.substr(first_byte + 1, last_byte - first_byte - 1));
}

std::optional<uint64_t> FindBit(std::string_view bytes, bool bit, uint64_t first, uint64_t last) {
  const uint64_t last_byte = last / 8;
  // A clear bit is a set one of the inverted byte.
  const uint8_t fill = bit ? 0 : 0xff;
  auto wanted = [&](uint64_t i, uint8_t mask) {
    return static_cast<uint8_t>((ByteAt(bytes, i) ^ fill) & mask);
  };
  uint64_t at = first / 8;
  uint8_t found = wanted(at, Mask(first % 8, at == last_byte ? last % 8 : 7));
  if (found == 0 && at < last_byte) {
    at = SkipBytes(bytes, fill, at + 1, last_byte);
    found = wanted(at, at == last_byte ? Mask(0, last % 8) : 0xff);
  }
  if (found == 0) return std::nullopt;
  return at * 8 + FirstSet(found);
}

bool BitAt(std::string_view bytes, uint64_t offset) {
  const uint64_t byte = offset / 8;
  return byte < bytes.size() && (ByteAt(bytes, byte) >> (7 - offset % 8) & 1) != 0;
}

void SetBitAt(char* bytes, uint64_t offset, bool bit) { WriteField(bytes, offset, 1, bit); }

uint64_t ReadField(std::string_view bytes, uint64_t offset, int width) {
  uint64_t value = 0;
  while (width > 0) {
    const uint64_t byte = offset / 8;
    const int start = static_cast<int>(offset % 8);
    const int count = std::min(width, 8 - start);
    const unsigned read = byte < bytes.size() ? ByteAt(bytes, byte) : 0u;
    value = value << count | ((read >> (8 - start - count)) & ((1u << count) - 1));
    offset += static_cast<uint64_t>(count);
    width -= count;
  }
  return value;
}

void WriteField(char* bytes, uint64_t offset, int width, uint64_t value) {
  uint64_t end = offset + static_cast<uint64_t>(width);
  while (width > 0) {
    const uint64_t byte = (end - 1) / 8;
    const int used = static_cast<int>((end - 1) % 8) + 1;
    const int count = std::min(width, used);
    const int shift = 8 - used;
    const unsigned mask = ((1u << count) - 1) << shift;
    const unsigned kept = static_cast<uint8_t>(bytes[byte]) & ~mask;
    bytes[byte] = static_cast<char>(kept | ((static_cast<unsigned>(value) << shift) & mask));
    value >>= count;
    end -= static_cast<uint64_t>(count);
    width -= count;
  }
}

void CombineBits(BitOperation operation, std::span<const std::string_view> sources, char* out,
                 size_t size) {
  for (size_t at = 0; at < size; at += kBlock) {
    const size_t block = std::min(kBlock, size - at);
    char* const target = out + at;
    const std::string_view first = Part(sources[0], at, block);
    std::memset(StoreBytes(target, first), 0, block - first.size());
    if (operation == BitOperation::kNot) CombineBlock(operation, first, target, block);
    for (std::string_view source : sources.subspan(1)) {
      CombineBlock(operation, Part(source, at, block), target, block);
    }
  }
}

}  // namespace cloakroom
