#include "replication/files/lzf.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr size_t kMaxLiterals = 32;
constexpr size_t kMinMatch = 3;
constexpr size_t kMaxMatch = 264;
constexpr size_t kReach = 8192;
constexpr size_t kLongMatch = 9;
/// After 2^kPatience misses the search takes larger steps, so that it quickly skips long runs of
/// bytes that do not compress. A value of some KB does not lose a match.
constexpr unsigned kPatience = 10;

uint32_t HashOf(uint32_t three_bytes, unsigned bits) {
  return (three_bytes << 8) * 0x9e3779b1u >> (32 - bits);
}

/// The number of equal bytes from `a` and `b` on, at most up to `end` of a.
size_t EqualBytes(const char* a, const char* b, const char* end) {
  const char* const start = a;
  while (end - a >= 8) {
    const uint64_t difference = LoadUnaligned<uint64_t>(a) ^ LoadUnaligned<uint64_t>(b);
    if (difference != 0) {
      return static_cast<size_t>(a - start) + static_cast<size_t>(std::countr_zero(difference)) / 8;
    }
    a += 8;
    b += 8;
  }
  while (a < end && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<size_t>(a - start);
}

/// Writes the compressed bytes.
class Output {
 public:
  Output(char* out, size_t limit) : at_(out), limit_(out + limit) {}

  bool Literals(const char* from, size_t count, const char* in_end) {
    const size_t runs = (count + kMaxLiterals - 1) / kMaxLiterals;
    if (count + runs > static_cast<size_t>(limit_ - at_)) return false;
    while (count > 0) {
      const size_t run = std::min(count, kMaxLiterals);
      *at_++ = static_cast<char>(run - 1);
      // A copy of fixed size is one or two instructions; the slack behind the limit takes the rest.
      if (in_end - from >= static_cast<ptrdiff_t>(kMaxLiterals)) [[likely]] {
        std::memcpy(at_, from, kMaxLiterals);
      } else {
        std::memcpy(at_, from, run);
      }
      at_ += run;
      from += run;
      count -= run;
    }
    return true;
  }

  bool Match(size_t distance, size_t length) {
    if (limit_ - at_ < 3) return false;
    const size_t back = distance - 1;
    if (length < kLongMatch) {
      *at_++ = static_cast<char>((length - 2) << 5 | back >> 8);
    } else {
      *at_++ = static_cast<char>(7u << 5 | back >> 8);
      *at_++ = static_cast<char>(length - kLongMatch);
    }
    *at_++ = static_cast<char>(back);
    return true;
  }

  const char* at() const { return at_; }

 private:
  char* at_;
  char* const limit_;
};

/// Copies `length` bytes from `distance` back, which may overlap with the bytes being written.
/// REQUIRES: there is room for `length` bytes at `to`; `room` is how much there is.
void CopyBack(char* to, size_t distance, size_t length, size_t room) {
  const char* from = to - distance;
  if (distance >= 16 && room >= length + 16) [[likely]] {
    for (size_t done = 0; done < length; done += 16) std::memcpy(to + done, from + done, 16);
    return;
  }
  if (distance >= 8 && room >= length + 8) {
    for (size_t done = 0; done < length; done += 8) std::memcpy(to + done, from + done, 8);
    return;
  }
  if (distance == 1) {
    std::memset(to, *from, length);
    return;
  }
  for (size_t i = 0; i < length; ++i) to[i] = from[i];
}

}  // namespace

LzfCompressor::LzfCompressor()
    : seen_(std::make_unique<uint32_t[]>(size_t{1} << kTableBits)), position_(kReach + 1) {}

size_t LzfCompressor::Compress(std::string_view in, char* out, size_t limit) {
  if (position_ > UINT32_MAX - kMaxInput - 2 * kReach) {
    std::fill_n(seen_.get(), size_t{1} << kTableBits, 0);
    position_ = kReach + 1;
  }
  const char* const begin = in.data();
  const char* const end = begin + in.size();
  const uint32_t base = position_;
  position_ += static_cast<uint32_t>(in.size() + kReach + 1);
  Output output(out, limit);
  const char* literals = begin;
  const char* at = begin;
  size_t misses = 0;
  // Loads four bytes where it compares three.
  while (end - at > static_cast<ptrdiff_t>(kMinMatch)) {
    const uint32_t bytes = LoadUnaligned<uint32_t>(at);
    const uint32_t position = base + static_cast<uint32_t>(at - begin);
    uint32_t& seen = seen_[HashOf(bytes, kTableBits)];
    const uint32_t distance = position - seen;
    seen = position;
    if (distance > kReach || ((LoadUnaligned<uint32_t>(at - distance) ^ bytes) << 8) != 0) {
      at += 1 + (misses++ >> kPatience);
      continue;
    }
    misses = 0;
    // Larger steps may have jumped over the beginning.
    while (at > literals && at - distance > begin && at[-1] == at[-1 - ptrdiff_t{distance}]) --at;
    const char* const longest = end - at > static_cast<ptrdiff_t>(kMaxMatch) ? at + kMaxMatch : end;
    const size_t length = EqualBytes(at, at - distance, longest);
    if (!output.Literals(literals, static_cast<size_t>(at - literals), end)) return 0;
    if (!output.Match(distance, length)) return 0;
    at += length;
    literals = at;
    if (end - at > 1) {
      const uint32_t last = LoadUnaligned<uint32_t>(at - 2);
      seen_[HashOf(last, kTableBits)] = base + static_cast<uint32_t>(at - 2 - begin);
    }
  }
  if (!output.Literals(literals, static_cast<size_t>(end - literals), end)) return 0;
  return static_cast<size_t>(output.at() - out);
}

bool LzfDecompress(std::string_view in, char* out, size_t size) {
  const char* at = in.data();
  const char* const in_end = at + in.size();
  char* to = out;
  char* const out_end = out + size;
  while (at < in_end) {
    const size_t control = static_cast<uint8_t>(*at++);
    const size_t room = static_cast<size_t>(out_end - to);
    if (control < kMaxLiterals) {
      const size_t run = control + 1;
      const size_t left = static_cast<size_t>(in_end - at);
      if (run > left || run > room) return false;
      if (left >= kMaxLiterals && room >= kMaxLiterals) [[likely]] {
        std::memcpy(to, at, kMaxLiterals);
      } else {
        std::memcpy(to, at, run);
      }
      at += run;
      to += run;
      continue;
    }
    size_t length = (control >> 5) + 2;
    if (in_end - at < (length == kLongMatch ? 2 : 1)) return false;
    if (length == kLongMatch) length += static_cast<uint8_t>(*at++);
    const size_t distance = ((control & 31) << 8 | static_cast<uint8_t>(*at++)) + 1;
    if (distance > static_cast<size_t>(to - out) || length > room) return false;
    CopyBack(to, distance, length, room);
    to += length;
  }
  return to == out_end;
}

}  // namespace cloakroom
