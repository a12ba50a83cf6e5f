#include "server/commands/support/score_table.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace cloakroom {
namespace {

/// The score that a set's members have.
constexpr double kScoreInSet = 1;

double NumberOrZero(double score) { return std::isnan(score) ? 0 : score; }

double Combined(double a, double b, Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kSum:
      return NumberOrZero(a + b);
    case Aggregate::kMin:
      return b < a ? b : a;
    case Aggregate::kMax:
      return b > a ? b : a;
  }
  return a;
}

/// The inputs, the smallest first; those of equal size stay in their order.
std::vector<WeightedInput> BySize(std::span<const WeightedInput> inputs) {
  std::vector<std::pair<size_t, size_t>> order;  // size and index
  order.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) order.emplace_back(inputs[i].input.size(), i);
  std::ranges::sort(order);
  std::vector<WeightedInput> sorted;
  sorted.reserve(inputs.size());
  for (const auto& [size, index] : order) sorted.push_back(inputs[index]);
  return sorted;
}

}  // namespace

size_t ScoredInput::size() const { return is_set() ? Set(value_).size() : Zset(value_).size(); }

std::optional<double> ScoredInput::Score(std::string_view member) const {
  if (!is_set()) return Zset(value_).Score(member);
  return Set(value_).Contains(member) ? std::optional(kScoreInSet) : std::nullopt;
}

void ScoredInput::ForEach(ScoredFn fn) const {
  if (!is_set()) return Zset(value_).ForEach(fn);
  Set(value_).ForEach(
      [&](std::string_view member) { fn({.score = kScoreInSet, .member = member}); });
}

void ScoreTable::Unite(std::span<const WeightedInput> inputs, Aggregate aggregate) {
  for (const auto& [input, weight] : BySize(inputs)) {
    input.ForEach([&](const ScoredItem& item) {
      const double score = NumberOrZero(weight * item.score);
      const auto found = scores_.find(item.member);
      if (found == scores_.end()) {
        scores_.emplace(item.member, score);
      } else {
        found->second = Combined(found->second, score, aggregate);
      }
    });
  }
}

void ScoreTable::Intersect(std::span<const WeightedInput> inputs, Aggregate aggregate) {
  ForEachCommon(inputs, aggregate, [&](const ScoredItem& item) {
    scores_.emplace(item.member, item.score);
    return true;
  });
}

void ScoreTable::Subtract(std::span<const WeightedInput> inputs) {
  inputs[0].input.ForEach([&](const ScoredItem& item) {
    for (const WeightedInput& other : inputs.subspan(1)) {
      if (other.input.Score(item.member)) return;
    }
    scores_.emplace(item.member, item.score);
  });
}

size_t ScoreTable::longest() const {
  size_t longest = 0;
  for (const auto& [member, score] : scores_) longest = std::max(longest, member.size());
  return longest;
}

std::vector<ScoredItem> ScoreTable::Sorted() const {
  std::vector<ScoredItem> items;
  items.reserve(scores_.size());
  for (const auto& [member, score] : scores_) items.push_back({.score = score, .member = member});
  std::ranges::sort(items, ComesBefore);
  return items;
}

void ForEachCommon(std::span<const WeightedInput> unsorted, Aggregate aggregate,
                   absl::FunctionRef<bool(const ScoredItem&)> fn) {
  const std::vector<WeightedInput> inputs = BySize(unsorted);
  bool more = true;
  inputs[0].input.ForEach([&](const ScoredItem& item) {
    if (!more) return;
    double score = NumberOrZero(inputs[0].weight * item.score);
    for (size_t i = 1; i < inputs.size(); ++i) {
      const std::optional<double> other = inputs[i].input.Score(item.member);
      if (!other) return;
      score = Combined(score, *other * inputs[i].weight, aggregate);
    }
    more = fn({.score = score, .member = item.member});
  });
}

}  // namespace cloakroom
