#include "protocol/numbers.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "absl/strings/ascii.h"

namespace cloakroom {
namespace {

// Redis' buffer for a long double as text, and so the longest that it reads.
constexpr size_t kLongDoubleTextLimit = 5 * 1024;

double FromText(const char* text, char** end, double) { return std::strtod(text, end); }
long double FromText(const char* text, char** end, long double) { return std::strtold(text, end); }

/// strtod needs a terminating NUL, which a view does not have.
template <typename Float>
std::optional<Float> ParseFloat(std::string_view text) {
  if (text.empty() || absl::ascii_isspace(static_cast<unsigned char>(text[0]))) return std::nullopt;
  std::array<char, 128> small;
  std::string large;
  const char* terminated = small.data();
  if (text.size() < small.size()) {
    std::memcpy(small.data(), text.data(), text.size());
    small[text.size()] = '\0';
  } else {
    large.assign(text);
    terminated = large.c_str();
  }
  char* end = nullptr;
  errno = 0;
  Float value = FromText(terminated, &end, Float{});
  if (end != terminated + text.size() || std::isnan(value)) return std::nullopt;
  // A result that is only denormal also sets ERANGE, and is accepted.
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (text.empty() || text.size() > kMaxIntegerLength) return std::nullopt;
  if (text[0] == '0') return text.size() == 1 ? std::optional<uint64_t>(0) : std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    uint64_t digit = static_cast<unsigned char>(c) - uint64_t{'0'};
    if (digit > 9 || value > kMax / 10) return std::nullopt;
    value *= 10;
    if (digit > kMax - value) return std::nullopt;
    value += digit;
  }
  return value;
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  std::optional<uint64_t> magnitude = ParseUnsigned(text);
  if (!magnitude) return std::nullopt;
  if (!negative) {
    return *magnitude <= kMax ? std::optional<int64_t>(*magnitude) : std::nullopt;
  }
  if (*magnitude == 0 || *magnitude > kMax + 1) return std::nullopt;
  return static_cast<int64_t>(0 - *magnitude);
}

std::optional<double> ParseDouble(std::string_view text) {
  // from_chars is several times faster and accepts a subset. strtod decides on what it does not
  // clearly accept: infinities, a plus sign, hexadecimal, underflow.
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && std::isfinite(value) && value != 0) return value;
  return ParseFloat<double>(text);
}

std::optional<long double> ParseLongDouble(std::string_view text) {
  if (text.size() >= kLongDoubleTextLimit) return std::nullopt;
  return ParseFloat<long double>(text);
}

std::string FormatLongDouble(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (std::isnan(value)) return "nan";
  std::array<char, kLongDoubleTextLimit> digits;
  int length = std::snprintf(digits.data(), digits.size(), "%.17Lf", value);
  std::string_view text(digits.data(), static_cast<size_t>(length));
  while (text.back() == '0') text.remove_suffix(1);
  if (text.back() == '.') text.remove_suffix(1);
  return text == "-0" ? "0" : std::string(text);
}

size_t FormatDouble(double value, char* out) {
  // Up to 2^53 every integer prints as itself. A negative zero keeps its sign, as in Redis.
  constexpr double kExact = 9007199254740992.0;
  if (value > -kExact && value < kExact && value != 0 && value == std::trunc(value)) {
    return FormatInteger(static_cast<int64_t>(value), out);
  }
  if (std::isnan(value)) {
    std::memcpy(out, "nan", 3);
    return 3;
  }
  auto result = std::to_chars(out, out + kMaxDoubleLength, value, std::chars_format::general, 17);
  return static_cast<size_t>(result.ptr - out);
}

std::string FormatDouble(double value) {
  std::array<char, kMaxDoubleLength> digits;
  return std::string(digits.data(), FormatDouble(value, digits.data()));
}

}  // namespace cloakroom
