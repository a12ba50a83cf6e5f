#include "storage/base/allocate.h"

#include <malloc.h>

#include <cstdio>
#include <cstdlib>

namespace cloakroom {
namespace {

void* OrDie(void* memory, size_t size) {
  if (memory != nullptr) return memory;
  std::fprintf(stderr, "cloakroom: out of memory allocating %zu bytes\n", size);
  std::abort();
}

}  // namespace

void* Allocate(size_t size) { return OrDie(std::malloc(size), size); }

void* Reallocate(void* memory, size_t size) { return OrDie(std::realloc(memory, size), size); }

void Deallocate(void* memory) { std::free(memory); }

size_t UsableSize(const void* memory) { return malloc_usable_size(const_cast<void*>(memory)); }

}  // namespace cloakroom
