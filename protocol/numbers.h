#ifndef CLOAKROOM_PROTOCOL_NUMBERS_H_
#define CLOAKROOM_PROTOCOL_NUMBERS_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloakroom {

// Numbers as text, exactly as in Redis 7.0: which texts are numbers decides between a reply and an
// error, and clients read back how a number prints. Pure functions; any thread may call them.
// LC_NUMERIC must be "C", a process' default.

/// Decimal and canonical: accepts only what FormatInteger() prints. nullopt for spaces, "+",
/// leading zeros, "-0", and numbers out of range.
std::optional<int64_t> ParseInteger(std::string_view text);
std::optional<uint64_t> ParseUnsigned(std::string_view text);

/// What strtod accepts as a whole: also "+1", ".5", "1e3", hexadecimal, and "inf" or "infinity" in
/// any case. Not: empty text, leading or trailing spaces, NaN, and what overflows or underflows to
/// 0.
std::optional<double> ParseDouble(std::string_view text);
/// The same for long double; refuses text of 5120 bytes and more, as Redis does.
std::optional<long double> ParseLongDouble(std::string_view text);

/// Fixed notation with at most 17 decimals, without trailing zeros, never "-0": the result of
/// INCRBYFLOAT. Infinities are "inf" and "-inf".
std::string FormatLongDouble(long double value);

/// The most that FormatDouble() writes, in bytes.
inline constexpr size_t kMaxDoubleLength = 32;
/// 17 significant digits as %.17g prints them ("0.10000000000000001", "1e+17", "-0"); "inf",
/// "-inf", "nan". For scores and RESP3's double.
std::string FormatDouble(double value);
/// Writes the same into `out`, which has kMaxDoubleLength bytes; returns how many it wrote.
size_t FormatDouble(double value, char* out);

/// The most that FormatInteger() writes, in bytes.
inline constexpr size_t kMaxIntegerLength = 20;
/// Writes the decimal digits without a terminating NUL, and returns how many bytes. REQUIRES: `out`
/// has room for 21 bytes.
inline size_t FormatInteger(int64_t value, char* out) {
  if (value >= 0 && value < 10) {
    *out = static_cast<char>('0' + value);
    return 1;
  }
  return static_cast<size_t>(std::to_chars(out, out + kMaxIntegerLength, value).ptr - out);
}

}  // namespace cloakroom

#endif  // CLOAKROOM_PROTOCOL_NUMBERS_H_
