// The iterative matcher agrees with the definition of a star: it matches nothing, or one byte more.

#include <algorithm>
#include <string_view>

#include "protocol/glob.h"
#include "tests/fuzz/pieces.h"

namespace {

/// Splits at every star and tries every length; exponential, so for small inputs only. GlobMatch
/// matches the elements other than stars, where it has no choice to make.
bool MatchByDefinition(std::string_view pattern, std::string_view text, bool ignore_case) {
  if (pattern.empty() || pattern[0] != '*') return false;
  std::string_view rest = pattern.substr(1);
  for (size_t taken = 0; taken <= text.size(); ++taken) {
    std::string_view left = text.substr(taken);
    bool only_stars = std::all_of(rest.begin(), rest.end(), [](char c) { return c == '*'; });
    if (left.empty() ? only_stars : cloakroom::GlobMatch(rest, left, ignore_case)) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cloakroom::GlobMatch;
  using cloakroom::fuzz::Check;
  if (size < 2) return 0;
  bool ignore_case = data[0] % 2 == 1;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string_view pattern = bytes.substr(0, data[1]);
  std::string_view text = bytes.substr(pattern.size()).substr(0, 1000);
  bool matched = GlobMatch(pattern, text, ignore_case);
  if (text.empty()) Check(matched == pattern.empty());
  if (!text.empty() && pattern.starts_with('*')) {
    Check(matched == MatchByDefinition(pattern, text, ignore_case));
  }
  return 0;
}
