#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_RANGE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_RANGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "server/execution/call.h"
#include "storage/values/zset.h"

namespace cloakroom {

/// Members of a sorted set that follow each other, in ascending order.
struct RankRange {
  size_t first = 0;
  size_t count = 0;
};

/// Ranks from `start` to `stop`, both included; negative ones count from the end.
struct IndexRange {
  int64_t start = 0;
  int64_t stop = 0;

  RankRange In(const Zset& zset) const;
};

/// Scores from `min` to `max`; an open end excludes the score itself.
struct ScoreRange {
  double min = 0;
  double max = 0;
  bool min_open = false;
  bool max_open = false;

  RankRange In(const Zset& zset) const;
};

/// Members between two others, in the order of their bytes.
struct LexRange {
  struct End {
    enum class Kind : uint8_t { kLowest, kOpen, kClosed, kHighest };
    Kind kind = Kind::kLowest;
    std::string member;
  };
  End min;
  End max;

  RankRange In(const Zset& zset) const;
};

/// How a command names a range of a sorted set.
enum class RangeBy : uint8_t { kRank, kScore, kMember };

/// A range as a request gives it. Owns its texts, so that long work may use it.
using ZsetRange = std::variant<IndexRange, ScoreRange, LexRange>;

/// The ends of a range: the arguments `min` and `max`. Replies with the error if it returns
/// nullopt.
std::optional<ZsetRange> ParseZsetRange(Call& call, RangeBy by, size_t min, size_t max);
/// As above for ranges of a known kind.
std::optional<ScoreRange> ParseScoreRange(Call& call, size_t min, size_t max);
std::optional<LexRange> ParseLexRange(Call& call, size_t min, size_t max);

RankRange RanksOf(const ZsetRange& range, const Zset& zset);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_ZSET_RANGE_H_
