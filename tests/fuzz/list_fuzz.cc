// Reads the input as a program of changes to a list with small leaves, and compares it, and a copy
// taken on the way, with a std::deque.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

#include "storage/values/list.h"
#include "storage/values/memory_slot.h"

namespace cloakroom {
namespace {

using Model = std::deque<std::string>;

void RequireEqual(const List& list, const Model& model) {
  if (list.size() != model.size()) std::abort();
  auto at = model.begin();
  list.ForEach(0, list.size(), [&](std::string_view element) {
    if (element != *at++) std::abort();
  });
}

/// Bytes of one letter, or the digits of a number.
std::string ElementOf(uint8_t byte) {
  return byte % 2 == 0 ? std::to_string(int64_t{1} << byte % 63)
                       : std::string(byte * 5u, static_cast<char>('a' + byte % 3));
}

/// Changes both in the same way. `index` is below the size.
void Change(MutableList& list, Model& model, unsigned kind, size_t index, std::string element) {
  const auto at = model.begin() + static_cast<ptrdiff_t>(index);
  switch (kind) {
    case 0:
      list.Pop(ListEnd::kFront, index + 1);
      model.erase(model.begin(), at + 1);
      break;
    case 1:
      list.Pop(ListEnd::kBack, model.size() - index);
      model.erase(at, model.end());
      break;
    case 2:
      list.Set(index, element);
      *at = element;
      break;
    case 3:
      if (list.EraseEqual(element, ListEnd::kFront, SIZE_MAX) != std::erase(model, element)) {
        std::abort();
      }
      break;
    default:
      list.Insert(index, element);
      model.insert(at, element);
  }
}

void Run(std::string_view program) {
  const EncodingLimits limits{.list_max_listpack_size = 7};
  MemorySlot slot;
  MutableList list(slot, limits);
  Model model;
  SharedValue copy = list.view().Share();
  Model copy_model;
  for (; program.size() >= 3; program.remove_prefix(3)) {
    const unsigned kind = static_cast<uint8_t>(program[0]) % 16;
    const std::string element = ElementOf(static_cast<uint8_t>(program[2]));
    if (kind >= 8 || model.empty()) {
      list.Push(kind % 2 == 0 ? ListEnd::kFront : ListEnd::kBack, element);
      model.insert(kind % 2 == 0 ? model.begin() : model.end(), element);
    } else if (kind == 7) {
      copy = list.view().Share();
      copy_model = model;
    } else {
      Change(list, model, kind, static_cast<uint8_t>(program[1]) % model.size(), element);
    }
  }
  RequireEqual(list.view(), model);
  RequireEqual(List(copy.view()), copy_model);
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cloakroom::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}
