#include "storage/values/memory_slot.h"

#include <algorithm>
#include <cstring>

namespace cloakroom {

void MemorySlot::Clear() {
  if (!exists_) return;
  ReleaseValue(view());
  Remove();
}

char* MemorySlot::Splice(size_t offset, size_t erase, size_t insert) {
  constexpr size_t kLeastCapacity = 256;
  const size_t size = size_ - erase + insert;
  if (size > capacity_) {
    capacity_ = std::max(2 * size, kLeastCapacity);
    std::unique_ptr<char[]> larger(new char[capacity_]);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
  }
  char* const at = bytes_.get() + offset;
  const size_t behind = size_ - offset - erase;
  if (behind > 0 && erase != insert) std::memmove(at + insert, at + erase, behind);
  size_ = size;
  return at;
}

void MemorySlot::Create(ValueType type, Encoding encoding) {
  exists_ = true;
  outgrown_ = false;
  type_ = type;
  encoding_ = encoding;
  size_ = 0;
}

void MemorySlot::Remove() {
  exists_ = false;
  size_ = 0;
}

}  // namespace cloakroom
