#include "storage/values/int_set.h"

#include <utility>

#include "storage/base/unaligned.h"

namespace cloakroom {
namespace {

size_t WidthOf(int64_t value) {
  return std::in_range<int16_t>(value) ? 2 : std::in_range<int32_t>(value) ? 4 : 8;
}

int64_t LoadInt(const char* from, size_t width) {
  if (width == 2) return LoadUnaligned<int16_t>(from);
  if (width == 4) return LoadUnaligned<int32_t>(from);
  return LoadUnaligned<int64_t>(from);
}

void StoreInt(char* to, int64_t value, size_t width) {
  if (width == 2) StoreUnaligned(to, static_cast<int16_t>(value));
  if (width == 4) StoreUnaligned(to, static_cast<int32_t>(value));
  if (width == 8) StoreUnaligned(to, value);
}

}  // namespace

bool IntSetView::Validate(std::string_view bytes) {
  if (bytes.empty()) return true;
  const size_t width = static_cast<uint8_t>(bytes[0]);
  if (width != 2 && width != 4 && width != 8) return false;
  if ((bytes.size() - 1) % width != 0) return false;
  const IntSetView set(bytes);
  for (size_t i = 1; i < set.size(); ++i) {
    if (set.At(i - 1) >= set.At(i)) return false;
  }
  return true;
}

int64_t IntSetView::At(size_t index) const {
  return LoadInt(bytes_.data() + 1 + index * width(), width());
}

size_t IntSetView::LowerBound(int64_t value) const {
  size_t low = 0;
  size_t high = size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (At(middle) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool IntSetView::Contains(int64_t value) const {
  const size_t index = LowerBound(value);
  return index < size() && At(index) == value;
}

bool IntSet::Add(int64_t value) {
  if (view().Contains(value)) return false;
  if (region_.size() == 0) *region_.Splice(0, 0, 1) = static_cast<char>(WidthOf(value));
  if (WidthOf(value) > view().width()) Widen(WidthOf(value));
  const size_t width = view().width();
  const size_t index = view().LowerBound(value);
  StoreInt(region_.Splice(1 + index * width, 0, width), value, width);
  return true;
}

bool IntSet::Remove(int64_t value) {
  const size_t index = view().LowerBound(value);
  if (index == view().size() || view().At(index) != value) return false;
  const size_t width = view().width();
  region_.Splice(1 + index * width, width, 0);
  return true;
}

void IntSet::Widen(size_t width) {
  const size_t count = view().size();
  const size_t old_width = view().width();
  region_.Splice(region_.size(), 0, count * (width - old_width));
  // From the last to the first: a wide integer only ever overwrites narrow ones already moved.
  char* const first = region_.data() + 1;
  for (size_t i = count; i-- > 0;) {
    StoreInt(first + i * width, LoadInt(first + i * old_width, old_width), width);
  }
  *region_.data() = static_cast<char>(width);
}

}  // namespace cloakroom
