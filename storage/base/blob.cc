#include "storage/base/blob.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "storage/base/allocate.h"

namespace cloakroom {
namespace {

constexpr size_t kGreedyLimit = 1u << 20;

size_t SizeWithRoomToGrow(size_t size) { return size + std::min(size, kGreedyLimit); }

}  // namespace

Blob* Blob::Create(size_t size) { return new (Allocate(sizeof(Blob) + size)) Blob(size); }

Blob* Blob::Create(std::string_view bytes) {
  Blob* blob = Create(bytes.size());
  if (!bytes.empty()) std::memcpy(blob->mutable_data(), bytes.data(), bytes.size());
  return blob;
}

Blob* Blob::Resize(Blob* blob, size_t size) {
  if (size > blob->capacity()) {
    // Not realloc: an object with an atomic may not be moved as bytes.
    Blob* grown = new (Allocate(sizeof(Blob) + SizeWithRoomToGrow(size))) Blob(size);
    std::memcpy(grown->mutable_data(), blob->data(), blob->size_);
    blob->Unref();
    return grown;
  }
  blob->size_ = static_cast<uint32_t>(size);
  return blob;
}

void Blob::Unref() const {
  // Acquire and release: the freeing thread must have seen every other owner's last read.
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Blob* self = const_cast<Blob*>(this);
  self->~Blob();
  Deallocate(self);
}

size_t Blob::capacity() const { return UsableSize(this) - sizeof(Blob); }

size_t Blob::memory() const { return UsableSize(this); }

}  // namespace cloakroom
