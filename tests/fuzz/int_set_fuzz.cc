// Feeds bytes from outside to IntSetView::Validate, and uses what it accepts as a set.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "storage/values/int_set.h"
#include "tests/storage/support/fake_slot.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cloakroom::IntSetView;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!IntSetView::Validate(bytes)) return 0;
  cloakroom::FakeRegion region;
  bytes.copy(region.Splice(0, 0, size), size);
  cloakroom::IntSet set(region);
  for (int shift = 0; shift < 63; ++shift) {
    const int64_t value = (int64_t{1} << shift) * (shift % 2 == 0 ? 1 : -1);
    const bool was_there = set.view().Contains(value);
    if (set.Add(value) == was_there || !set.view().Contains(value)) std::abort();
    if (!IntSetView::Validate(region.bytes())) std::abort();
  }
  while (set.view().size() > 0) {
    if (!set.Remove(set.view().At(set.view().size() / 2))) std::abort();
  }
  return 0;
}
