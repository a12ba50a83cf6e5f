#ifndef CLOAKROOM_STORAGE_BASE_HUGE_PAGES_H_
#define CLOAKROOM_STORAGE_BASE_HUGE_PAGES_H_

namespace cloakroom {

/// Whether memory that this process touches for the first time may come in huge pages, of 2 MB,
/// where the system grants them to those who ask (transparent_hugepage: madvise or always).
///
/// Loading two gigabytes by small pages takes half a million page faults, and most of its time.
/// Later they are a risk: the kernel goes on to make huge pages of what the allocator gave back in
/// part, and the process outgrows `maxmemory`. So they are for the load, when memory only grows;
/// what has become huge by then stays so, and nothing else becomes so. (Redis must forbid them
/// altogether: a page that is written while a forked child saves would be copied whole.)
///
/// Until the first call they are allowed. Any thread; concerns the whole process.
void AllowHugePages(bool allow);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_HUGE_PAGES_H_
