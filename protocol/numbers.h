#ifndef CLOAKROOM_PROTOCOL_NUMBERS_H_
#define CLOAKROOM_PROTOCOL_NUMBERS_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom {

// Numbers as text, to the letter of Redis 7.0: which texts are numbers decides between a reply and
// an error, and how a number prints is what a client reads back. Pure functions; any thread may
// call them. LC_NUMERIC must be "C", which is a process' default.

/// Decimal, canonical: what FormatInteger() prints and nothing else. So no spaces, "+", leading
/// zeros or "-0"; nullopt for those and out of range.
std::optional<int64_t> ParseInteger(std::string_view text);
std::optional<uint64_t> ParseUnsigned(std::string_view text);

/// What strtod accepts, whole: also "+1", ".5", "1e3", hexadecimal, and "inf" or "infinity" in any
/// case. Not: empty text, leading or trailing spaces, NaN, and what overflows or underflows to 0.
std::optional<double> ParseDouble(std::string_view text);
/// The same for long double; text of 5120 bytes and more is refused, as Redis does.
std::optional<long double> ParseLongDouble(std::string_view text);

/// Fixed notation with at most 17 decimals, trailing zeros removed, never "-0": the result of
/// INCRBYFLOAT. Infinities are "inf" and "-inf".
std::string FormatLongDouble(long double value);

/// What FormatDouble() may write at most, in bytes.
inline constexpr size_t kMaxDoubleLength = 32;
/// 17 significant digits as %.17g prints them ("0.10000000000000001", "1e+17", "-0"); "inf",
/// "-inf", "nan". A score, and RESP3's double.
std::string FormatDouble(double value);
/// The same into `out`, which has kMaxDoubleLength bytes; returns how many were written.
size_t FormatDouble(double value, char* out);

/// What FormatInteger() may write at most, in bytes.
inline constexpr size_t kMaxIntegerLength = 20;
/// Writes the decimal digits, no terminating NUL, and returns how many bytes.
/// REQUIRES: `out` has room for 21 bytes.
inline size_t FormatInteger(int64_t value, char* out) {
  if (value >= 0 && value < 10) {
    *out = static_cast<char>('0' + value);
    return 1;
  }
  return static_cast<size_t>(std::to_chars(out, out + kMaxIntegerLength, value).ptr - out);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_NUMBERS_H_
