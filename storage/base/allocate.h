#ifndef CLOAKROOM_STORAGE_BASE_ALLOCATE_H_
#define CLOAKROOM_STORAGE_BASE_ALLOCATE_H_

#include <cstddef>

namespace cloakroom {

/// Raw memory for the value structures. Ends the process when there is no memory left, as Redis
/// does: eviction should act on `maxmemory` long before. Thread rule: any thread.
void* Allocate(size_t size);
void* Reallocate(void* memory, size_t size);
void Deallocate(void* memory);

/// The size that the allocator gave `memory`: its size class, all of it usable.
size_t UsableSize(const void* memory);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_ALLOCATE_H_
