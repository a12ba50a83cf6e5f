#ifndef CLOAKROOM_STORAGE_VALUES_SCORED_ITEM_H_
#define CLOAKROOM_STORAGE_VALUES_SCORED_ITEM_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "storage/values/value.h"

namespace cloakroom {

// A run of scored items, in which sorted sets keep their members: a small set in one run, a large
// one in the leaves of a B+ tree.
//
//   run    = item*             in ascending order of score, then of member (bytes)
//   item   = head [length] score member
//   head   = the member's length in the four high bits, 15: `length` follows; the number of bytes
//            of the score, 0 to 8, in the four low ones
//   length = seven bits a byte, low ones first, the high bit set in all but the last
//   score  = the bytes of the IEEE double, high ones first, without zeroes at the end
//
// So an integer below a million has a score of at most four bytes. Limits: a score is never NaN; a
// member has less than 2^32 bytes. Threads: as for the bytes that hold the run.

/// One member of a sorted set with its score. Valid until the set changes.
struct ScoredItem {
  double score = 0;
  std::string_view member;
};

/// An item and its place in its run.
struct PlacedItem : ScoredItem {
  size_t offset = 0;  ///< of its first byte
  size_t end = 0;     ///< of the byte behind it
};

/// The order of sorted sets: by score, then by member. -0 and 0 are the same score.
inline bool ComesBefore(const ScoredItem& a, const ScoredItem& b) {
  if (a.score != b.score) return a.score < b.score;
  return a.member < b.member;
}

/// A number that orders as the score does: equal for equal scores. REQUIRES: no NaN.
inline uint64_t OrderKeyOf(double score) {
  constexpr uint64_t kSignBit = uint64_t{1} << 63;
  if (score == 0) score = 0;  // without its sign
  const uint64_t bits = std::bit_cast<uint64_t>(score);
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

/// The bytes of a score, as an item has them.
class PackedScore {
 public:
  explicit PackedScore(double score);
  /// Valid as long as this object.
  std::string_view bytes() const { return {bytes_, size_}; }

  /// REQUIRES: bytes() of a PackedScore.
  static double Unpack(std::string_view bytes) {
    if (bytes.empty()) return 0;
    uint64_t bits = 0;
    for (const char byte : bytes) bits = bits << 8 | static_cast<uint8_t>(byte);
    return std::bit_cast<double>(bits << (8 * (sizeof(bits) - bytes.size())));
  }

 private:
  char bytes_[sizeof(double)];
  size_t size_ = sizeof(double);
};

/// What the high bits of a head are if the member's length follows.
inline constexpr uint8_t kScoredLengthFollows = 15;

/// The length at `at`, which moves behind it.
size_t TakeScoredLength(std::string_view run, size_t& at);

/// The item at `offset`. REQUIRES: an item starts there.
inline PlacedItem ScoredItemAt(std::string_view run, size_t offset) {
  const auto head = static_cast<uint8_t>(run[offset]);
  size_t at = offset + 1;
  size_t length = head >> 4;
  if (length == kScoredLengthFollows) length = TakeScoredLength(run, at);
  const size_t score_size = head & 15;
  PlacedItem item;
  item.score = PackedScore::Unpack({run.data() + at, score_size});
  item.member = {run.data() + at + score_size, length};
  item.offset = offset;
  item.end = at + score_size + length;
  return item;
}

/// Calls `fn` for the items of a run in order, until it returns false.
template <typename Fn>
void ForEachScored(std::string_view run, Fn fn) {
  for (size_t at = 0; at < run.size();) {
    const PlacedItem item = ScoredItemAt(run, at);
    if (!fn(item)) return;
    at = item.end;
  }
}

/// Calls `fn` for the items with the indexes from `first` up to `end`, from the last to the first.
void ForEachScoredBackwards(std::string_view run, size_t first, size_t end,
                            absl::FunctionRef<void(const ScoredItem&)> fn);

/// Where item `index` of a run starts; the end for the index behind the last.
size_t ScoredItemOffset(std::string_view run, size_t index);

/// Inserts an item at `offset` of a region. The member must not point into it.
void InsertScored(Region& region, size_t offset, const ScoredItem& item);

/// The text of a score: 17 significant digits as Redis prints them, which read back to the same
/// score; "inf" and "-inf".
class ScoreText {
 public:
  explicit ScoreText(double score) : ScoreText(score, kExactIntegers) {}
  /// As Redis' listpacks keep a score, and ZSCAN prints it: integers up to 2^62 with all digits.
  static ScoreText OfListpack(double score) { return ScoreText(score, kListpackIntegers); }
  /// Valid as long as this object.
  std::string_view view() const { return {text_, size_}; }

 private:
  static constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  static constexpr double kListpackIntegers = 4611686018427387904.0;

  /// Integers up to `integers`, of either sign, are printed as such.
  ScoreText(double score, double integers);

  char text_[32];  // "-1.7976931348623157e+308"
  size_t size_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_VALUES_SCORED_ITEM_H_
