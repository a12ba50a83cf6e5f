// Feeds bytes from outside to PackedView::Validate. Blocks that it accepts must be readable, and
// must stay well-formed under any sequence of changes.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/packed.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void Fill(FakeRegion& region, std::string_view bytes) {
  bytes.copy(region.Splice(0, 0, bytes.size()), bytes.size());
}

void ChangeEveryItem(FakeRegion& region) {
  PackedBlock block(region);
  const bool values = block.view().has_values();
  for (size_t i = 0; i < block.view().size(); ++i) {
    if (values) block.SetExpiry(block.view().At(i), static_cast<int64_t>(i));
    if (values) block.SetValue(block.view().At(i), std::string(i * 7 % 300, 'v'));
  }
  Require(PackedView::Validate(region.bytes()));
  while (block.view().size() > 0) block.Erase(block.view().At(block.view().size() / 2));
  Require(region.size() == 4);
}

}  // namespace
}  // namespace cloakroom

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cloakroom::PackedView;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!PackedView::Validate(bytes)) return 0;
  const PackedView view(bytes);
  size_t count = 0;
  for (const cloakroom::PackedItem& item : view) {
    cloakroom::Require(item.end <= size && view.Find(item.field).has_value());
    count += 1;
  }
  cloakroom::Require(count == view.size());
  cloakroom::FakeRegion region;
  cloakroom::Fill(region, bytes);
  cloakroom::ChangeEveryItem(region);
  return 0;
}
