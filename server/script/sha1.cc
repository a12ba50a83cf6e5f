#include "server/script/sha1.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace cloakroom {
namespace {

constexpr std::size_t kBlockBytes = 64;
using State = std::array<std::uint32_t, 5>;

std::uint32_t LoadBigEndian(const unsigned char* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

// The round function and constant of round t, section 4.1.1 and 4.2.1 of the standard.
std::uint32_t Mix(int t, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999u;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1u;
  if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
  return (b ^ c ^ d) + 0xca62c1d6u;
}

void Absorb(const unsigned char* block, State* digest) {
  std::array<std::uint32_t, 80> w;
  for (int t = 0; t < 16; ++t) w[t] = LoadBigEndian(block + 4 * t);
  for (int t = 16; t < 80; ++t) w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
  auto [a, b, c, d, e] = *digest;
  for (int t = 0; t < 80; ++t) {
    const std::uint32_t next = std::rotl(a, 5) + Mix(t, b, c, d) + e + w[t];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State added = {a, b, c, d, e};
  for (int i = 0; i < 5; ++i) (*digest)[i] += added[i];
}

}  // namespace

Sha1Bytes Sha1(std::string_view data) {
  State digest = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
  const std::size_t whole = data.size() / kBlockBytes * kBlockBytes;
  for (std::size_t at = 0; at < whole; at += kBlockBytes) Absorb(bytes + at, &digest);

  // The rest, a one bit, zeros, and the length in bits fill one block or two.
  unsigned char tail[2 * kBlockBytes] = {};
  const std::size_t rest = data.size() - whole;
  if (rest > 0) std::memcpy(tail, bytes + whole, rest);
  tail[rest] = 0x80;
  const std::size_t tail_bytes = rest + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  std::uint64_t bits = std::uint64_t{data.size()} * 8;
  for (std::size_t i = tail_bytes; bits != 0; bits >>= 8) tail[--i] = bits & 0xff;
  for (std::size_t at = 0; at < tail_bytes; at += kBlockBytes) Absorb(tail + at, &digest);

  Sha1Bytes sum;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] = static_cast<std::uint8_t>(digest[i / 4] >> (24 - 8 * (i % 4)));
  }
  return sum;
}

std::string Sha1Hex(std::string_view data) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : Sha1(data)) {
    hex.push_back(kHex[byte >> 4]);
    hex.push_back(kHex[byte & 15]);
  }
  return hex;
}

}  // namespace cloakroom
