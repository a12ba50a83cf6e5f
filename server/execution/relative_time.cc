#include "server/execution/relative_time.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "protocol/text.h"

namespace cloakroom {
namespace {

/// Whether a word behind the first `skipped` ones is one of these.
bool HasOption(CommandArguments args, ptrdiff_t skipped,
               std::initializer_list<std::string_view> options) {
  const auto first = args.begin() + std::min(skipped, std::ssize(args));
  return std::any_of(first, args.end(), [&](std::string_view word) {
    return std::any_of(options.begin(), options.end(),
                       [&](std::string_view option) { return EqualsIgnoreCase(word, option); });
  });
}

}  // namespace

bool AlwaysCountsFromNow(CommandArguments /*args*/) { return true; }

bool SetCountsFromNow(CommandArguments args) { return HasOption(args, 3, {"ex", "px"}); }

bool RestoreCountsFromNow(CommandArguments args) { return !HasOption(args, 4, {"absttl"}); }

}  // namespace cloakroom
