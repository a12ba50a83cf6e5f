#ifndef CLOAKROOM_SERVER_CONFIG_TEXT_H_
#define CLOAKROOM_SERVER_CONFIG_TEXT_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/strings/ascii.h"

namespace cloakroom::config {

// Helpers for std::string_view, which Debian's Abseil (built for C++14) does not take. Pure.

/// Concatenates texts and integers.
template <class... Parts>
std::string Cat(const Parts&... parts) {
  std::string whole;
  auto append = [&whole](const auto& part) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>) {
      whole += std::to_string(part);
    } else {
      whole += std::string_view(part);
    }
  };
  (append(parts), ...);
  return whole;
}

inline std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), absl::ascii_tolower);
  return lower;
}

inline bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && Lower(a) == Lower(b);
}

/// Returns the text without surrounding white space.
inline std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(text.front())) text.remove_prefix(1);
  while (!text.empty() && absl::ascii_isspace(text.back())) text.remove_suffix(1);
  return text;
}

/// Splits at the separators. Two in a row make an empty part; an empty text makes no part.
inline std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    bool ends_in_separator = end + 1 == text.size();
    text.remove_prefix(std::min(end + 1, text.size()));
    if (ends_in_separator) parts.emplace_back();
  }
  return parts;
}

/// REQUIRES: the first word is not empty.
template <class Words>
std::string Joined(const Words& words, std::string_view separator) {
  std::string whole;
  for (std::string_view word : words) {
    if (!whole.empty()) whole += separator;
    whole += word;
  }
  return whole;
}

}  // namespace cloakroom::config

#endif  // CLOAKROOM_SERVER_CONFIG_TEXT_H_
