#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SAMPLING_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SAMPLING_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/distributions.h"
#include "server/execution/call.h"

namespace cloakroom {

/// Picks `wanted` of `total` items in one pass over them: every such choice is equally likely.
/// (Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S.)
/// REQUIRES: wanted <= total, and Take() is asked `total` times at most.
class SelectionSampler {
 public:
  SelectionSampler(size_t wanted, size_t total) : wanted_(wanted), left_(total) {}

  /// Whether the next item is among the chosen.
  bool Take(absl::BitGenRef random) {
    const bool taken = absl::Uniform<size_t>(random, 0, left_--) < wanted_;
    wanted_ -= taken ? 1 : 0;
    return taken;
  }

 private:
  size_t wanted_;
  size_t left_;
};

/// A sample of less than this share of a collection is drawn item by item, retrying what was drawn
/// already; a larger one in a pass over all items.
inline constexpr size_t kDrawOneIn = 2;

/// Draws with repetition (a negative count) make a reply of any length out of a small collection;
/// Redis would build it until its memory ends. More than this is refused.
inline constexpr int64_t kMaxDraws = 10'000'000;

/// The count argument of HRANDFIELD and SRANDMEMBER. On nullopt the error has been replied.
inline std::optional<int64_t> ParseSampleCount(Call& call, size_t i) {
  constexpr int64_t kMax = INT64_MAX;
  std::optional<int64_t> count = call.Integer(i);
  if (!count) return std::nullopt;
  if (*count < -kMax) {
    call.Error(
        "ERR value is out of range, value must between -9223372036854775807 and "
        "9223372036854775807");
    return std::nullopt;
  }
  if (*count < -kMaxDraws) {
    call.Error("ERR value is out of range");
    return std::nullopt;
  }
  return count;
}

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_SAMPLING_H_
