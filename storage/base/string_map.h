#ifndef CLOAKROOM_STORAGE_BASE_STRING_MAP_H_
#define CLOAKROOM_STORAGE_BASE_STRING_MAP_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "storage/base/text_hash.h"

namespace cloakroom {

/// Hashes anything that is a std::string_view. Debian builds abseil with a string_view of its own,
/// and abseil's default hash of strings accepts no other.
struct StringViewHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return HashText(text); }
};

/// Containers with string keys that are looked up by views.
template <typename Value>
using StringMap = absl::flat_hash_map<std::string, Value, StringViewHash, std::equal_to<>>;
using StringSet = absl::flat_hash_set<std::string, StringViewHash, std::equal_to<>>;

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_STRING_MAP_H_
