#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_COMMON_SUBSEQUENCE_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_COMMON_SUBSEQUENCE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

// The longest common subsequence of two byte strings, by the textbook's dynamic programming: time
// O(a.size() * b.size()). If several have the same length, it finds exactly the one that Redis
// finds. Pure functions: any thread.

/// A run of bytes in both strings: `size` bytes at `a` in one and at `b` in the other.
struct CommonRun {
  size_t a;
  size_t b;
  size_t size;
};

/// The subsequence as runs, from the strings' ends to their beginnings: a run ends where either
/// string leaves out a byte. Needs a bit of memory for each pair of bytes.
std::vector<CommonRun> CommonRuns(std::string_view a, std::string_view b);

/// Only the length. Needs memory for one row, 4 bytes for each byte of `b`.
size_t CommonLength(std::string_view a, std::string_view b);

/// The subsequence itself, from its runs.
std::string CommonText(std::string_view a, const std::vector<CommonRun>& runs);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_COMMON_SUBSEQUENCE_H_
