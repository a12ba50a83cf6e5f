#include "server/commands/support/zset_range.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace cloakroom {
namespace {

constexpr std::string_view kBadScoreRange = "ERR min or max is not a float";
constexpr std::string_view kBadLexRange = "ERR min or max not valid string range item";

struct ScoreEnd {
  double score;
  bool open;
};

// As Redis: what strtod reads up to a NUL byte, so also nothing at all, leading spaces, and a
// number that overflows; unlike the score of ZADD.
std::optional<ScoreEnd> ParseScoreEnd(std::string_view text) {
  const bool open = text.starts_with('(');
  const std::string terminated(text.substr(open ? 1 : 0));
  char* end = nullptr;
  const double score = std::strtod(terminated.c_str(), &end);
  if (*end != '\0' || std::isnan(score)) return std::nullopt;
  return ScoreEnd{score, open};
}

std::optional<LexRange::End> ParseLexEnd(std::string_view text) {
  using Kind = LexRange::End::Kind;
  if (text.empty()) return std::nullopt;
  const bool alone = text.size() == 1 || text[1] == '\0';
  switch (text[0]) {
    case '-':
      return alone ? std::optional(LexRange::End{Kind::kLowest, {}}) : std::nullopt;
    case '+':
      return alone ? std::optional(LexRange::End{Kind::kHighest, {}}) : std::nullopt;
    case '(':
      return LexRange::End{Kind::kOpen, std::string(text.substr(1))};
    case '[':
      return LexRange::End{Kind::kClosed, std::string(text.substr(1))};
    default:
      return std::nullopt;
  }
}

/// How many members are below an end; `kept_below`: a closed end itself counts as below.
size_t CountBelow(const Zset& zset, const LexRange::End& end, bool kept_below) {
  using Kind = LexRange::End::Kind;
  switch (end.kind) {
    case Kind::kLowest:
      return 0;
    case Kind::kHighest:
      return zset.size();
    case Kind::kOpen:
      return zset.CountBelowMember(end.member, !kept_below);
    case Kind::kClosed:
      return zset.CountBelowMember(end.member, kept_below);
  }
  return 0;
}

RankRange Between(size_t first, size_t end) {
  return {.first = first, .count = end > first ? end - first : 0};
}

}  // namespace

RankRange IndexRange::In(const Zset& zset) const {
  const auto size = static_cast<int64_t>(zset.size());
  const int64_t from = std::max<int64_t>(start < 0 ? start + size : start, 0);
  const int64_t to = std::min<int64_t>(stop < 0 ? stop + size : stop, size - 1);
  if (from > to) return {};
  return {.first = static_cast<size_t>(from), .count = static_cast<size_t>(to - from + 1)};
}

RankRange ScoreRange::In(const Zset& zset) const {
  return Between(zset.CountBelow(min, min_open), zset.CountBelow(max, !max_open));
}

RankRange LexRange::In(const Zset& zset) const {
  return Between(CountBelow(zset, min, /*kept_below=*/false),
                 CountBelow(zset, max, /*kept_below=*/true));
}

std::optional<ScoreRange> ParseScoreRange(Call& call, size_t min, size_t max) {
  const std::optional<ScoreEnd> low = ParseScoreEnd(call.arg(min));
  const std::optional<ScoreEnd> high = ParseScoreEnd(call.arg(max));
  if (low && high) return ScoreRange{low->score, high->score, low->open, high->open};
  call.Error(kBadScoreRange);
  return std::nullopt;
}

std::optional<LexRange> ParseLexRange(Call& call, size_t min, size_t max) {
  std::optional<LexRange::End> low = ParseLexEnd(call.arg(min));
  std::optional<LexRange::End> high = ParseLexEnd(call.arg(max));
  if (low && high) return LexRange{*std::move(low), *std::move(high)};
  call.Error(kBadLexRange);
  return std::nullopt;
}

std::optional<ZsetRange> ParseZsetRange(Call& call, RangeBy by, size_t min, size_t max) {
  if (by == RangeBy::kScore) return ParseScoreRange(call, min, max);
  if (by == RangeBy::kMember) return ParseLexRange(call, min, max);
  const std::optional<int64_t> start = call.Integer(min);
  if (!start) return std::nullopt;
  const std::optional<int64_t> stop = call.Integer(max);
  if (!stop) return std::nullopt;
  return IndexRange{*start, *stop};
}

RankRange RanksOf(const ZsetRange& range, const Zset& zset) {
  return std::visit([&](const auto& its) { return its.In(zset); }, range);
}

}  // namespace cloakroom
