#include "server/commands/support/sorting.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <compare>
#include <cstdlib>
#include <utility>

#include "storage/base/clock.h"
#include "storage/values/list.h"
#include "storage/values/set.h"
#include "storage/values/type_ops.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

/// An element and what it is sorted by.
struct Weighed {
  std::string element;
  size_t place = 0;  ///< among the elements
  double number = 0;
  std::optional<std::string> text;  ///< with ALPHA and BY
};

/// The part of `size` elements that LIMIT leaves: [first, end).
struct Slice {
  size_t first;
  size_t end;
};

Slice SliceOf(const SortOptions& options, size_t size) {
  const size_t first = std::min(static_cast<size_t>(std::max<int64_t>(options.offset, 0)), size);
  if (options.count < 0) return {first, size};
  return {first, first + std::min(static_cast<size_t>(options.count), size - first)};
}

void CollectList(const List& list, bool backwards, std::vector<std::string>* out) {
  list.ForEach(0, list.size(), [&](std::string_view element) { out->emplace_back(element); });
  if (backwards) std::ranges::reverse(*out);
}

/// All elements. Without sorting, a list and a sorted set keep their order, or with DESC the
/// reverse.
std::vector<std::string> Elements(const ValueView& value, const SortOptions& options) {
  std::vector<std::string> elements;
  elements.reserve(CountOfElements(value));
  const bool backwards = options.unsorted && options.descending;
  switch (value.type) {
    case ValueType::kList:
      CollectList(List(value), backwards, &elements);
      break;
    case ValueType::kZset: {
      const Zset zset(value);
      zset.ForRange(0, zset.size(), backwards,
                    [&](const ScoredItem& item) { elements.emplace_back(item.member); });
      break;
    }
    default:
      Set(value).ForEach([&](std::string_view member) { elements.emplace_back(member); });
  }
  return elements;
}

/// False: a weight is not a number.
bool Weigh(const SortOptions& options, SortLookup look_up, Weighed& item) {
  std::optional<std::string> weight;
  if (!options.by.empty()) {
    weight = look_up(options.by, item.element);
    if (!weight) return true;
  } else if (options.alpha) {
    return true;
  }
  if (options.alpha) {
    item.text = std::move(weight);
    return true;
  }
  // Redis uses this function: it takes an empty text for 0, and skips spaces before the number.
  const char* const text = (weight ? *weight : item.element).c_str();
  char* end = nullptr;
  errno = 0;
  item.number = std::strtod(text, &end);
  return *end == '\0' && errno != ERANGE && !std::isnan(item.number);
}

/// What Redis compares with ALPHA: in a reply, a text only counts up to a NUL byte, as for strcoll.
std::string_view Collated(const SortOptions& options, std::string_view text) {
  return options.store ? text : text.substr(0, text.find('\0'));
}

std::strong_ordering CompareTexts(const SortOptions& options, std::string_view a,
                                  std::string_view b) {
  return Collated(options, a).compare(Collated(options, b)) <=> 0;
}

std::strong_ordering CompareWeights(const SortOptions& options, const Weighed& a,
                                    const Weighed& b) {
  // An element without a weight comes first.
  if (!a.text || !b.text) return a.text.has_value() <=> b.text.has_value();
  return CompareTexts(options, *a.text, *b.text);
}

/// Equal items keep their order; but the log repeats a command that stores, and a set may have
/// another order then.
std::strong_ordering Compare(const SortOptions& options, const Weighed& a, const Weighed& b) {
  if (!options.alpha) {
    if (a.number != b.number) {
      return a.number < b.number ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    return a.element.compare(b.element) <=> 0;
  }
  if (options.by.empty()) return CompareTexts(options, a.element, b.element);
  const std::strong_ordering order = CompareWeights(options, a, b);
  return order == 0 && options.store ? a.element.compare(b.element) <=> 0 : order;
}

}  // namespace

bool SortOptions::reads_others() const {
  return ReadsKey(by) || std::ranges::any_of(gets, ReadsKey);
}

PatternKey KeyOfPattern(std::string_view pattern, std::string_view element) {
  const size_t star = pattern.find('*');
  const std::string_view behind = pattern.substr(star + 1);
  const size_t arrow = behind.find("->");
  // An arrow at the very end belongs to the key.
  const bool has_field = arrow != behind.npos && arrow + 2 < behind.size();
  PatternKey key;
  key.key.append(pattern.substr(0, star))
      .append(element)
      .append(has_field ? behind.substr(0, arrow) : behind);
  if (has_field) key.field = behind.substr(arrow + 2);
  return key;
}

size_t CountOfElements(const ValueView& value) { return OpsOf(value.type).size(value, 0); }

std::optional<std::vector<std::string>> SortedElements(const ValueView& value,
                                                       const SortOptions& options,
                                                       SortLookup look_up) {
  std::vector<std::string> elements = Elements(value, options);
  const Slice slice = SliceOf(options, elements.size());
  const auto at = [](auto& items, size_t i) { return items.begin() + static_cast<ptrdiff_t>(i); };
  if (options.unsorted) {
    elements.erase(at(elements, slice.end), elements.end());
    elements.erase(elements.begin(), at(elements, slice.first));
    return elements;
  }
  std::vector<Weighed> items(elements.size());
  bool numbers = true;
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].element = std::move(elements[i]);
    items[i].place = i;
    numbers = Weigh(options, look_up, items[i]) && numbers;
  }
  if (!numbers) return std::nullopt;
  std::ranges::partial_sort(items, at(items, slice.end), [&](const Weighed& a, const Weighed& b) {
    const auto order = Compare(options, a, b);
    if (order == 0) return a.place < b.place;
    return options.descending ? order > 0 : order < 0;
  });
  elements.clear();
  for (size_t i = slice.first; i < slice.end; ++i) {
    elements.push_back(std::move(items[i].element));
  }
  return elements;
}

}  // namespace cloakroom
