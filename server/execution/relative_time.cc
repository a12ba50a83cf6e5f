#include "server/execution/relative_time.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "protocol/text.h"

namespace cloakroom {
namespace {

constexpr std::array<std::string_view, 11> kRelative = {"expire", "pexpire", "setex",    "psetex",
                                                        "getex",  "hexpire", "hpexpire", "hgetex",
                                                        "hsetex", "sexpire", "spexpire"};

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

bool CountsFromNow(CommandArguments args) {
  if (EqualsIgnoreCase(args[0], "set")) return HasOption(args, 3, {"ex", "px"});
  if (EqualsIgnoreCase(args[0], "restore")) return !HasOption(args, 4, {"absttl"});
  return std::any_of(kRelative.begin(), kRelative.end(),
                     [&](std::string_view name) { return EqualsIgnoreCase(args[0], name); });
}

}  // namespace cloakroom
