#include "server/commands/support/common_subsequence.h"

#include <algorithm>
#include <cstdint>

namespace cloakroom {
namespace {

/// One bit for each pair of prefixes (1 to rows, 1 to columns) whose last bytes differ: whether the
/// way back leads to the shorter prefix of `a`, rather than of `b`.
class Directions {
 public:
  Directions(size_t rows, size_t columns) : stride_((columns + 63) / 64), words_(rows * stride_) {}

  void SetShortenA(size_t row, size_t column) { Word(row, column) |= Bit(column); }
  bool ShortenA(size_t row, size_t column) { return (Word(row, column) & Bit(column)) != 0; }

 private:
  uint64_t& Word(size_t row, size_t column) {
    return words_[(row - 1) * stride_ + (column - 1) / 64];
  }
  static uint64_t Bit(size_t column) { return uint64_t{1} << ((column - 1) % 64); }

  size_t stride_;
  std::vector<uint64_t> words_;
};

/// Walks the table of lengths row by row, keeping one row: before its turn lengths[j] is that of
/// the row above. For each pair of different bytes, calls `differ` with the lengths above and on
/// the left.
template <typename Differ>
size_t Walk(std::string_view a, std::string_view b, Differ&& differ) {
  std::vector<uint32_t> lengths(b.size() + 1, 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    uint32_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const uint32_t above = lengths[j];
      if (a[i - 1] == b[j - 1]) {
        lengths[j] = diagonal + 1;
      } else {
        const uint32_t left = lengths[j - 1];
        differ(i, j, above, left);
        lengths[j] = std::max(above, left);
      }
      diagonal = above;
    }
  }
  return lengths[b.size()];
}

}  // namespace

std::vector<CommonRun> CommonRuns(std::string_view a, std::string_view b) {
  Directions directions(a.size(), b.size());
  Walk(a, b, [&](size_t i, size_t j, uint32_t above, uint32_t left) {
    if (above > left) directions.SetShortenA(i, j);
  });
  std::vector<CommonRun> runs;
  size_t i = a.size();
  size_t j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] != b[j - 1]) {
      directions.ShortenA(i, j) ? --i : --j;
      continue;
    }
    size_t size = 0;
    for (; i > 0 && j > 0 && a[i - 1] == b[j - 1]; --i, --j) ++size;
    runs.push_back({i, j, size});
  }
  return runs;
}

size_t CommonLength(std::string_view a, std::string_view b) {
  return Walk(a, b, [](size_t, size_t, uint32_t, uint32_t) {});
}

std::string CommonText(std::string_view a, const std::vector<CommonRun>& runs) {
  std::string text;
  for (size_t i = runs.size(); i-- > 0;) text.append(a.substr(runs[i].a, runs[i].size));
  return text;
}

}  // namespace cloakroom
