#include "storage/base/integer_text.h"

#include <charconv>
#include <system_error>

namespace cloakroom {

std::optional<int64_t> ParseCanonicalInt(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  const std::string_view digits = text.substr(text.front() == '-' ? 1 : 0);
  if (digits.empty() || (digits.front() == '0' && text.size() > 1)) return std::nullopt;
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return value;
}

IntegerText::IntegerText(int64_t value)
    : size_(static_cast<uint8_t>(std::to_chars(digits_, digits_ + sizeof(digits_), value).ptr -
                                 digits_)) {}

}  // namespace cloakroom
