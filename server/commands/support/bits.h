#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_BITS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_BITS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace cloakroom {

// Byte strings as rows of bits; the first bit is the highest one of the first byte. Long runs are
// processed in words of 64 bits. Pure functions: any thread.

/// The number of set bits from `first` to `last`. REQUIRES: first <= last, and both are in `bytes`.
uint64_t CountBits(std::string_view bytes, uint64_t first, uint64_t last);

/// The first bit between `first` and `last` that is `bit`. REQUIRES: as CountBits.
std::optional<uint64_t> FindBit(std::string_view bytes, bool bit, uint64_t first, uint64_t last);

/// The bit at `offset`; 0 beyond the end.
bool BitAt(std::string_view bytes, uint64_t offset);
/// REQUIRES: the bit is in the string at `bytes`.
void SetBitAt(char* bytes, uint64_t offset, bool bit);

/// `width` bits from `offset` on as a number, highest bit first; bits beyond the end are 0.
/// REQUIRES: 1 <= width <= 64, here and below.
uint64_t ReadField(std::string_view bytes, uint64_t offset, int width);
/// Writes the lowest `width` bits of `value`. REQUIRES: all of them are in the string.
void WriteField(char* bytes, uint64_t offset, int width, uint64_t value);

enum class BitOperation { kAnd, kOr, kXor, kNot };

/// Combines strings into `out`, which is as long as the longest; shorter ones are padded with zero
/// bytes. kNot takes one. REQUIRES: at least one source; `out` overlaps none.
void CombineBits(BitOperation operation, std::span<const std::string_view> sources, char* out,
                 size_t size);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_BITS_H_
