#ifndef CLOAKROOM_STORAGE_BASE_HUGE_PAGES_H_
#define CLOAKROOM_STORAGE_BASE_HUGE_PAGES_H_

namespace cloakroom {

/// Sets whether memory that this process touches for the first time may come in huge pages of 2 MB,
/// if the system grants them on request (transparent_hugepage: madvise or always).
///
/// A load of two gigabytes in small pages spends most of its time in half a million page faults.
/// After the load, huge pages are a risk: the kernel also makes them of pages that the allocator
/// gave back in part, and the process outgrows `maxmemory`. So they are allowed during the load,
/// when memory only grows; what is huge by then stays huge, and nothing else becomes so. (Redis
/// must forbid them: after a page is written while a forked child saves, the whole page would be
/// copied.)
///
/// They are allowed until the first call. Any thread may call this; it affects the whole process.
void AllowHugePages(bool allow);

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_HUGE_PAGES_H_
