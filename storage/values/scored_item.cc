#include "storage/values/scored_item.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "absl/container/inlined_vector.h"
#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

constexpr uint8_t kMoreBytes = 0x80;
constexpr size_t kMaxLengthBytes = 10;

/// Writes a length and returns how many bytes it took.
size_t StoreLength(size_t length, char* to) {
  size_t size = 0;
  for (; length >= kMoreBytes; length >>= 7) {
    to[size++] = static_cast<char>(length | kMoreBytes);
  }
  to[size++] = static_cast<char>(length);
  return size;
}

}  // namespace

PackedScore::PackedScore(double score) {
  const uint64_t bits = std::bit_cast<uint64_t>(score);
  for (size_t i = 0; i < sizeof(bits); ++i) {
    bytes_[i] = static_cast<char>(bits >> (8 * (sizeof(bits) - 1 - i)));
  }
  size_ = bits == 0 ? 0 : sizeof(bits) - static_cast<size_t>(std::countr_zero(bits)) / 8;
}

size_t TakeScoredLength(std::string_view run, size_t& at) {
  size_t length = 0;
  unsigned shift = 0;
  do {
    length |= size_t{ByteAt(run, at) & 0x7fu} << shift;
    shift += 7;
  } while ((ByteAt(run, at++) & kMoreBytes) != 0);
  return length;
}

void ForEachScoredBackwards(std::string_view run, size_t first, size_t end,
                            absl::FunctionRef<void(const ScoredItem&)> fn) {
  if (first >= end) return;
  absl::InlinedVector<PlacedItem, 16> items;
  ForEachScored(run, [&](const PlacedItem& item) {
    items.push_back(item);
    return items.size() < end;
  });
  for (size_t i = end; i > first; --i) fn(items[i - 1]);
}

size_t ScoredItemOffset(std::string_view run, size_t index) {
  size_t at = 0;
  for (; index > 0; --index) at = ScoredItemAt(run, at).end;
  return at;
}

void InsertScored(Region& region, size_t offset, const ScoredItem& item) {
  const PackedScore score(item.score);
  const size_t length = item.member.size();
  char header[1 + kMaxLengthBytes];
  size_t header_size = 1;
  if (length < kScoredLengthFollows) {
    header[0] = static_cast<char>(length << 4 | score.bytes().size());
  } else {
    header[0] = static_cast<char>(kScoredLengthFollows << 4 | score.bytes().size());
    header_size += StoreLength(length, header + 1);
  }
  char* at = region.Splice(offset, 0, header_size + score.bytes().size() + length);
  at = StoreBytes(at, {header, header_size});
  at = StoreBytes(at, score.bytes());
  StoreBytes(at, item.member);
}

ScoreText::ScoreText(double score, double integers) {
  // Up to 2^53 all integers have at most 17 digits. A negative zero keeps its sign, as in Redis.
  char* const end = text_ + sizeof(text_);
  if (score >= -integers && score <= integers && score != 0 && score == std::trunc(score)) {
    size_ = static_cast<size_t>(std::to_chars(text_, end, static_cast<int64_t>(score)).ptr - text_);
    return;
  }
  const auto result = std::to_chars(text_, end, score, std::chars_format::general, 17);
  size_ = static_cast<size_t>(result.ptr - text_);
}

}  // namespace cloakroom
