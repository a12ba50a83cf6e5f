// The one function newer than glibc 2.34 that g++ 12's unwinder needs when it is linked in: it
// finds which loaded object holds an address, and where that object's unwind table begins. glibc
// has it from 2.35 on (<dlfcn.h> declares it); dl_iterate_phdr, older and slower, gives the same
// answer. The server throws exceptions only while it starts, so the speed does not matter.
#include <dlfcn.h>
#include <link.h>

#include <bit>
#include <cstdint>

namespace {

struct Search {
  uintptr_t address;
  dl_find_object* found;
};

/// Fills in the object that `info` describes. Returns whether it holds the address and can be
/// unwound.
bool Describe(const dl_phdr_info& info, uintptr_t address, dl_find_object& found) {
  uintptr_t start = UINTPTR_MAX;
  uintptr_t end = 0;
  void* unwind_table = nullptr;
  bool holds = false;
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info.dlpi_phdr[i];
    uintptr_t at = info.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_GNU_EH_FRAME) unwind_table = std::bit_cast<void*>(at);
    if (segment.p_type != PT_LOAD) continue;
    start = at < start ? at : start;
    end = at + segment.p_memsz > end ? at + segment.p_memsz : end;
    holds = holds || (address >= at && address < at + segment.p_memsz);
  }
  if (!holds || unwind_table == nullptr) return false;
  found = {};
  found.dlfo_map_start = std::bit_cast<void*>(start);
  found.dlfo_map_end = std::bit_cast<void*>(end);
  found.dlfo_eh_frame = unwind_table;
  return true;
}

int Visit(dl_phdr_info* info, size_t, void* data) {
  auto* search = static_cast<Search*>(data);
  return Describe(*info, search->address, *search->found) ? 1 : 0;
}

}  // namespace

/// Hidden: everything else in the process keeps using glibc's own, if glibc has one.
extern "C" __attribute__((visibility("hidden"))) int _dl_find_object(
    void* address, dl_find_object* result) noexcept {
  Search search{reinterpret_cast<uintptr_t>(address), result};
  return dl_iterate_phdr(Visit, &search) == 1 ? 0 : -1;
}
