#include "replication/files/crc64.h"

#include <array>
#include <cstddef>

#include "storage/base/unaligned.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace cloakroom {
namespace {

// Polynomials modulo the generator are kept reflected: bit 63 is the coefficient of x^0, so a
// multiplication by x is a shift to the right.
constexpr uint64_t kGenerator = 0x95ac9329ac4bc9b5;  // 0xad93d23594c935a9, bits reversed.
constexpr uint64_t kOne = uint64_t{1} << 63;

constexpr uint64_t TimesX(uint64_t value) {
  return (value & 1) != 0 ? (value >> 1) ^ kGenerator : value >> 1;
}

constexpr uint64_t Times(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & kOne) != 0) product ^= b;
    b = TimesX(b);
  }
  return product;
}

constexpr uint64_t PowerOfX(unsigned exponent) {
  uint64_t power = kOne;
  for (; exponent > 0; --exponent) power = TimesX(power);
  return power;
}

constexpr size_t kTables = 8;
using Tables = std::array<std::array<uint64_t, 256>, kTables>;

// Table k has the contribution of a byte that has k more bytes behind it.
constexpr Tables MakeTables() {
  Tables tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = TimesX(crc);
    tables[0][byte] = crc;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (size_t k = 1; k < kTables; ++k) {
      const uint64_t before = tables[k - 1][byte];
      tables[k][byte] = tables[0][before & 0xff] ^ (before >> 8);
    }
  }
  return tables;
}

constexpr Tables kTable = MakeTables();

#ifdef __x86_64__
#define CLOAKROOM_CLMUL __attribute__((target("pclmul,sse4.1")))

// A register of 16 bytes is a polynomial of degree 127, its low half the higher powers. To move it
// on by n bits, multiply the halves by x^(n+64) and x^n. The product of two reflected numbers is
// multiplied by x once too often, hence the -1.
struct Step {
  uint64_t low;
  uint64_t high;
};
constexpr Step StepOf(unsigned bits) { return {PowerOfX(bits + 64 - 1), PowerOfX(bits - 1)}; }
constexpr Step kBy16 = StepOf(128);
constexpr Step kBy64 = StepOf(512);

CLOAKROOM_CLMUL inline __m128i Load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

CLOAKROOM_CLMUL inline __m128i Factor(const Step& step) {
  return _mm_set_epi64x(static_cast<int64_t>(step.high), static_cast<int64_t>(step.low));
}

CLOAKROOM_CLMUL inline __m128i Fold(__m128i sum, __m128i factor, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(sum, factor, 0x00);
  const __m128i high = _mm_clmulepi64_si128(sum, factor, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// REQUIRES: at least 64 bytes. Four sums side by side hide the multiplication's latency.
CLOAKROOM_CLMUL uint64_t ByMultiplication(uint64_t crc, std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  __m128i a = _mm_xor_si128(Load(at), _mm_cvtsi64_si128(static_cast<int64_t>(crc)));
  __m128i b = Load(at + 16);
  __m128i c = Load(at + 32);
  __m128i d = Load(at + 48);
  at += 64;
  for (const __m128i by64 = Factor(kBy64); end - at >= 64; at += 64) {
    a = Fold(a, by64, Load(at));
    b = Fold(b, by64, Load(at + 16));
    c = Fold(c, by64, Load(at + 32));
    d = Fold(d, by64, Load(at + 48));
  }
  const __m128i by16 = Factor(kBy16);
  __m128i sum = Fold(Fold(Fold(a, by16, b), by16, c), by16, d);
  for (; end - at >= 16; at += 16) sum = Fold(sum, by16, Load(at));
  // The rest is congruent to the bytes so far, so its checksum is theirs.
  char left[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(left), sum);
  const uint64_t folded = Crc64ByTables(0, {left, sizeof(left)});
  return Crc64ByTables(folded, {at, static_cast<size_t>(end - at)});
}

bool CanMultiply() {
  static const bool can = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return can;
}
#endif

}  // namespace

uint64_t Crc64ByTables(uint64_t crc, std::string_view bytes) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    crc ^= LoadUnaligned<uint64_t>(at);
    crc = kTable[7][crc & 0xff] ^ kTable[6][crc >> 8 & 0xff] ^ kTable[5][crc >> 16 & 0xff] ^
          kTable[4][crc >> 24 & 0xff] ^ kTable[3][crc >> 32 & 0xff] ^ kTable[2][crc >> 40 & 0xff] ^
          kTable[1][crc >> 48 & 0xff] ^ kTable[0][crc >> 56];
  }
  for (; left > 0; --left, ++at) {
    crc = kTable[0][(crc ^ static_cast<uint8_t>(*at)) & 0xff] ^ (crc >> 8);
  }
  return crc;
}

uint64_t Crc64(uint64_t crc, std::string_view bytes) {
#ifdef __x86_64__
  if (bytes.size() >= 64 && CanMultiply()) return ByMultiplication(crc, bytes);
#endif
  return Crc64ByTables(crc, bytes);
}

uint64_t Crc64Combine(uint64_t a, uint64_t b, uint64_t b_size) {
  // a * x^(8 * b_size) + b, with the power by repeated squaring.
  uint64_t square = PowerOfX(8);
  for (; b_size != 0; b_size >>= 1) {
    if ((b_size & 1) != 0) a = Times(a, square);
    square = Times(square, square);
  }
  return a ^ b;
}

}  // namespace cloakroom
