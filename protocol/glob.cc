#include "protocol/glob.h"

#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"

namespace cloakroom {
namespace {

char Fold(char c, bool ignore_case) {
  return ignore_case ? absl::ascii_tolower(static_cast<unsigned char>(c)) : c;
}

bool InRange(char low, char high, char c, bool ignore_case) {
  auto number = [&](char byte) { return static_cast<signed char>(Fold(byte, ignore_case)); };
  // Redis orders the ends before it folds their case.
  if (static_cast<signed char>(low) > static_cast<signed char>(high)) std::swap(low, high);
  return number(c) >= number(low) && number(c) <= number(high);
}

/// The result of one element of a pattern for one byte, and where the next element starts.
struct Step {
  bool matched;
  size_t next;
};

/// `at` is the offset behind '['.
Step MatchClass(std::string_view pattern, size_t at, char c, bool ignore_case) {
  bool inverted = at < pattern.size() && pattern[at] == '^';
  if (inverted) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      found |= pattern[at + 1] == c;
      at += 2;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      found |= InRange(pattern[at], pattern[at + 2], c, ignore_case);
      at += 3;
    } else {
      found |= Fold(pattern[at], ignore_case) == Fold(c, ignore_case);
      ++at;
    }
  }
  if (at < pattern.size()) ++at;
  return {found != inverted, at};
}

/// REQUIRES: at < pattern.size() and pattern[at] is not a star.
Step MatchOne(std::string_view pattern, size_t at, char c, bool ignore_case) {
  switch (pattern[at]) {
    case '?':
      return {true, at + 1};
    case '[':
      return MatchClass(pattern, at + 1, c, ignore_case);
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      break;
    default:
      break;
  }
  return {Fold(pattern[at], ignore_case) == Fold(c, ignore_case), at + 1};
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case) {
  if (text.empty()) return pattern.empty();
  size_t p = 0;
  size_t t = 0;
  // On a mismatch only the latest star takes one more byte: it reaches everything that an earlier
  // star could. This keeps the time below text * pattern.
  size_t behind_star = std::string_view::npos;
  size_t star_end = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      behind_star = ++p;
      star_end = t;
      if (p == pattern.size()) return true;
      continue;
    }
    if (p < pattern.size()) {
      Step step = MatchOne(pattern, p, text[t], ignore_case);
      if (step.matched) {
        p = step.next;
        ++t;
        continue;
      }
    }
    if (behind_star == std::string_view::npos) return false;
    p = behind_star;
    t = ++star_end;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace cloakroom
