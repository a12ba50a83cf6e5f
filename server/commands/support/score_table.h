#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCORE_TABLE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCORE_TABLE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/base/string_map.h"
#include "storage/values/scored_item.h"
#include "storage/values/set.h"
#include "storage/values/shared_value.h"
#include "storage/values/zset.h"

namespace cloakroom {

/// A sorted set, or a set whose members all have score 1, as an input of ZUNION and its like. An
/// absent key is an empty one. Valid until the value changes.
class ScoredInput {
 public:
  /// Whether a value can be an input.
  static bool Takes(ValueType type) { return type == Zset::kType || type == Set::kType; }

  /// REQUIRES: Takes(value.type).
  explicit ScoredInput(const ValueView& value = {.type = Zset::kType,
                                                 .encoding = Encoding::kPacked})
      : value_(value) {}

  size_t size() const;
  std::optional<double> Score(std::string_view member) const;
  void ForEach(ScoredFn fn) const;
  SharedValue Share() const { return SharedValue(value_); }
  bool Is(const SharedValue& value) const { return value.Is(value_); }

 private:
  bool is_set() const { return value_.type == Set::kType; }

  ValueView value_;
};

enum class Aggregate : uint8_t { kSum, kMin, kMax };

/// An input with its weight.
struct WeightedInput {
  ScoredInput input;
  double weight = 1;
};

// Combinations of inputs. They add in the order in which Redis does, smaller inputs first, since
// the sum of doubles depends on it. A sum or a product that is not a number counts as 0.

/// Members with their scores, gathered in any order. Thread rule: one thread at a time.
class ScoreTable {
 public:
  void Unite(std::span<const WeightedInput> inputs, Aggregate aggregate);
  void Intersect(std::span<const WeightedInput> inputs, Aggregate aggregate);
  /// The members of the first input that no other has.
  void Subtract(std::span<const WeightedInput> inputs);

  size_t size() const { return scores_.size(); }
  /// The size of the longest member.
  size_t longest() const;
  /// In the order of sorted sets. Valid as long as the table does not change.
  std::vector<ScoredItem> Sorted() const;

 private:
  StringMap<double> scores_;
};

/// Calls `fn` with each member that all inputs have, and its combined score; false ends it.
void ForEachCommon(std::span<const WeightedInput> unsorted, Aggregate aggregate,
                   absl::FunctionRef<bool(const ScoredItem&)> fn);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SCORE_TABLE_H_
