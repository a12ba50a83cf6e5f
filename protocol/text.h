#ifndef CLOAKROOM_PROTOCOL_TEXT_H_
#define CLOAKROOM_PROTOCOL_TEXT_H_

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"

namespace cloakroom {

// Helpers for std::string_view. Debian builds Abseil for C++14, where absl::string_view is a type
// of its own, so absl::StrCat and absl::EqualsIgnoreCase do not take std::string_view.

/// Compares ASCII letters without case, other bytes as they are.
inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return absl::ascii_tolower(x) == absl::ascii_tolower(y);
  });
}

inline std::string Concat(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (std::string_view part : parts) size += part.size();
  std::string whole;
  whole.reserve(size);
  for (std::string_view part : parts) whole.append(part);
  return whole;
}

/// ASCII letters only.
inline std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_TEXT_H_
