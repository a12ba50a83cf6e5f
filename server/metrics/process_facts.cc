#include "server/metrics/process_facts.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace cloakroom {

ProcessFacts ProcessFacts::Read() {
  ProcessFacts facts;
  utsname names{};
  if (uname(&names) == 0) {
    facts.os = std::string(names.sysname) + " " + names.release + " " + names.machine;
  }
  std::error_code error;
  facts.executable = std::filesystem::read_symlink("/proc/self/exe", error).string();
  facts.system_memory_bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return facts;
}

}  // namespace cloakroom
