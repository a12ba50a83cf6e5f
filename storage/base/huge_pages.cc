#include "storage/base/huge_pages.h"

#include <sys/prctl.h>

// jemalloc reads this name before main: all of its memory asks for huge pages, by madvise.
// AllowHugePages decides whether the kernel grants them.
extern "C" {
extern const char* malloc_conf;          // NOLINT(readability-identifier-naming)
const char* malloc_conf = "thp:always";  // NOLINT(readability-identifier-naming)
}

namespace cloakroom {

void AllowHugePages(bool allow) {
  // Fails only on kernels built without huge pages.
  prctl(PR_SET_THP_DISABLE, allow ? 0UL : 1UL, 0UL, 0UL, 0UL);
}

}  // namespace cloakroom
