#ifndef CLOAKROOM_TESTS_FUZZ_PIECES_H_
#define CLOAKROOM_TESTS_FUZZ_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace cloakroom::fuzz {

/// Cuts bytes as a network might: mostly into small pieces, now and then into a large one. The seed
/// comes from the fuzzed input, so that a finding repeats.
class Pieces {
 public:
  Pieces(std::string_view bytes, uint8_t seed) : bytes_(bytes), random_(seed) {}

  bool empty() const { return bytes_.empty(); }
  std::string_view Next() {
    size_t largest = random_() % 8 == 0 ? 4096 : 8;
    std::string_view piece = bytes_.substr(0, 1 + random_() % largest);
    bytes_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view bytes_;
  std::minstd_rand random_;
};

/// When it does not hold, that is a finding: libFuzzer reports the input.
inline void Check(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace cloakroom::fuzz

#endif  // CLOAKROOM_TESTS_FUZZ_PIECES_H_
