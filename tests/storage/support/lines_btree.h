#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_LINES_BTREE_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_LINES_BTREE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/btree.h"

namespace cloakroom {

/// A small format for tests of B+ trees: an item is text that ends with a new line. The order key
/// is the item's first byte.
inline size_t LineOffset(std::string_view leaf, size_t index) {
  size_t offset = 0;
  for (; index > 0; --index) offset = leaf.find('\n', offset) + 1;
  return offset;
}
inline uint64_t LineKey(std::string_view leaf) { return static_cast<unsigned char>(leaf[0]); }
inline constexpr LeafFormat kLines = {
    .max_bytes = 64, .max_items = 8, .offset = LineOffset, .key = LineKey};

using Lines = std::vector<std::string>;

inline Lines LinesOf(const BTreeView& tree) {
  Lines lines;
  tree.ForEachLeaf([&](std::string_view bytes, size_t /*items*/) {
    for (size_t from = 0; from < bytes.size();) {
      const size_t end = bytes.find('\n', from);
      lines.emplace_back(bytes.substr(from, end - from));
      from = end + 1;
    }
  });
  return lines;
}

inline void InsertLine(BTree& tree, size_t index, std::string_view line) {
  const BTreePlace place = tree.view().At(index);
  tree.Edit(place, [&](BTreeLeafEditor& leaf) {
    const size_t at = LineOffset(leaf.bytes(), index - place.before);
    char* const to = leaf.Splice(at, 0, line.size() + 1);
    *std::ranges::copy(line, to).out = '\n';
    leaf.set_items(leaf.items() + 1);
  });
}

inline void ReplaceLine(BTree& tree, size_t index, std::string_view line) {
  const BTreePlace place = tree.view().At(index);
  tree.Edit(place, [&](BTreeLeafEditor& leaf) {
    const size_t at = LineOffset(leaf.bytes(), index - place.before);
    const size_t end = LineOffset(leaf.bytes(), index - place.before + 1);
    char* const to = leaf.Splice(at, end - at, line.size() + 1);
    *std::ranges::copy(line, to).out = '\n';
  });
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_LINES_BTREE_H_
