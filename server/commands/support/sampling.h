#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_SAMPLING_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_SAMPLING_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/distributions.h"
#include "server/execution/call.h"

namespace cloakroom {

/// Picks `wanted` of `total` items in one pass; every choice is equally likely. (Knuth, The Art of
/// Computer Programming, volume 2, 3.4.2, algorithm S.) REQUIRES: wanted <= total, and Take() is
/// asked `total` times at most.
class SelectionSampler {
 public:
  SelectionSampler(size_t wanted, size_t total) : wanted_(wanted), left_(total) {}

  /// Whether the next item is chosen.
  bool Take(absl::BitGenRef random) {
    const bool taken = absl::Uniform<size_t>(random, 0, left_--) < wanted_;
    wanted_ -= taken ? 1 : 0;
    return taken;
  }

 private:
  size_t wanted_;
  size_t left_;
};

/// A sample of less than 1 / kDrawOneIn of a collection is drawn item by item, and an item that was
/// drawn already is drawn again; a larger one takes a pass over all items.
inline constexpr size_t kDrawOneIn = 2;

/// The most draws with repetition (a negative count). They make a reply of any length from a small
/// collection; Redis would build it until it runs out of memory.
inline constexpr int64_t kMaxDraws = 10'000'000;

/// The count argument of HRANDFIELD and SRANDMEMBER. Replies with the error if it returns nullopt.
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
