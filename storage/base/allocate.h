#ifndef CLOAKROOM_STORAGE_BASE_ALLOCATE_H_
#define CLOAKROOM_STORAGE_BASE_ALLOCATE_H_

#include <cstddef>

namespace cloakroom {

/// Raw memory for the value structures. No memory left ends the process, as it does in Redis:
/// eviction has to act on `maxmemory` long before. Any thread may call these.
void* Allocate(size_t size);
void* Reallocate(void* memory, size_t size);
void Deallocate(void* memory);

/// What the allocator really handed out for `memory`: its size class, all of it usable.
size_t UsableSize(const void* memory);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_ALLOCATE_H_
