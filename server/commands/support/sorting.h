#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SORTING_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SORTING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/values/value.h"

namespace cloakroom {

/// What SORT asks for.
struct SortOptions {
  bool descending = false;
  bool alpha = false;  ///< compares bytes, not numbers
  bool unsorted = false;  ///< BY a pattern without '*'
  std::string by;         ///< the pattern of the weights; empty: the elements themselves
  std::vector<std::string> gets;
  int64_t offset = 0;
  int64_t count = -1;  ///< negative: all
  std::optional<std::string> store;

  /// Whether BY or GET may read other keys than the one that is sorted.
  bool reads_others() const;
};

/// Whether a pattern reads a key: it has a '*', which stands for the element.
inline bool ReadsKey(std::string_view pattern) { return pattern.find('*') != pattern.npos; }

/// A key pattern of BY or GET, with an element in place of the first '*'.
struct PatternKey {
  std::string key;
  std::string_view field;  ///< of a hash, behind "->"; empty: the key holds a string
};
/// REQUIRES: ReadsKey(pattern). Valid as long as the pattern.
PatternKey KeyOfPattern(std::string_view pattern, std::string_view element);

/// The value that a pattern means for an element; nullopt if there is none.
using SortLookup =
    absl::FunctionRef<std::optional<std::string>(std::string_view pattern, std::string_view element)>;

/// The elements of a list, set or sorted set that SORT replies with, in their order; nullopt: a
/// weight is not a number. `look_up` is asked for the weights that BY names.
std::optional<std::vector<std::string>> SortedElements(const ValueView& value,
                                                       const SortOptions& options,
                                                       SortLookup look_up);

/// How many elements the value has.
size_t CountOfElements(const ValueView& value);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SORTING_H_
