// Reads the input as a program of changes to a trie whose members' hashes collide often, and
// compares it, and a snapshot taken on the way, with a std::map.

#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/values/trie.h"

namespace cloakroom {
namespace {

using Model = std::map<std::string, std::string, std::less<>>;

// Few distinct positions, far apart and close together, so that paths are long.
uint64_t CollidingHash(std::string_view field) {
  return (SeededTrieHash(field) & 0xC00000000000033F) | 0x0123456789ABC000;
}

void RequireEqual(const TrieView& view, const Model& model) {
  size_t items = 0;
  view.ForEach([&](const Item& item) {
    const auto at = model.find(item.field);
    if (at == model.end() || at->second != item.value.bytes) std::abort();
    ++items;
  });
  if (items != model.size() || view.size() != model.size()) std::abort();
}

void Run(std::string_view program) {
  Trie trie(/*has_values=*/true, CollidingHash);
  Trie snapshot = trie.Share();
  Model model;
  Model snapshot_model;
  for (; program.size() >= 3; program.remove_prefix(3)) {
    const std::string field = std::to_string(static_cast<uint8_t>(program[1]));
    const std::string value(static_cast<uint8_t>(program[2]) * 6u, program[2]);
    switch (static_cast<uint8_t>(program[0]) % 8) {
      case 0:
        snapshot = trie.Share();
        snapshot_model = model;
        break;
      case 1:
      case 2:
        if (trie.Erase(field) != (model.erase(field) == 1)) std::abort();
        break;
      case 3:
        if (trie.SetExpiry(field, program[2]) != model.contains(field)) std::abort();
        break;
      default:
        if (trie.Put(field, value) == model.contains(field)) std::abort();
        model[field] = value;
    }
  }
  RequireEqual(trie.view(), model);
  RequireEqual(snapshot.view(), snapshot_model);
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cloakroom::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
