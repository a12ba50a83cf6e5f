// Feeds bytes from outside to HyperLogLog, as a value that a client has SET. The first byte chooses
// registers to raise.

#include <cstdint>
#include <string_view>

#include "storage/values/hyperloglog.h"
#include "tests/fuzz/pieces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cloakroom::HllRegisters;
  using cloakroom::HllView;
  using cloakroom::HyperLogLog;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::optional<HllView> view = HllView::Of(bytes);
  if (!view) return 0;
  HllRegisters before;
  const bool sound = view->RaiseIn(before);
  if (view->form() == HllView::Form::kSparse) view->Describe();
  HyperLogLog hll(*view, 3000);
  for (uint32_t i = 0; i < 50; ++i) {
    const uint32_t index = (data[0] * 977u + i * i * 131u) % HllRegisters::kCount;
    const auto rank = static_cast<uint8_t>(1 + (data[0] + i) % 51);
    const HyperLogLog::Change change = hll.Raise({.index = index, .rank = rank});
    if (change == HyperLogLog::Change::kCorrupt) {
      cloakroom::fuzz::Check(!sound);
      return 0;
    }
    if (!sound) continue;
    // What was sound stays sound, and has the higher of both ranks.
    before.Raise({.index = index, .rank = rank});
    HllRegisters after;
    cloakroom::fuzz::Check(HllView::Of(hll.bytes())->RaiseIn(after));
    cloakroom::fuzz::Check(after.at(index) == before.at(index));
  }
  before.Estimate();
  return 0;
}
