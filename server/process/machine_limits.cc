#include "server/process/machine_limits.h"

#include <algorithm>
#include <fstream>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

std::string FirstLine(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The number in a file, or 0 if there is none ("max" in a cgroup's file).
int64_t Number(const std::string& path) {
  int64_t number = 0;
  return absl::SimpleAtoi(FirstLine(path), &number) ? number : 0;
}

/// The least memory.max from our cgroup (version 2) up to the root, or 0.
int64_t CgroupMemory(const std::string& root) {
  constexpr std::string_view kVersion2 = "0::";
  std::string group = FirstLine(root + "/proc/self/cgroup");
  if (!group.starts_with(kVersion2)) return 0;
  group.erase(0, kVersion2.size());
  int64_t least = 0;
  while (!group.empty()) {
    int64_t limit = Number(absl::StrCat(root, "/sys/fs/cgroup", group, "/memory.max"));
    if (limit > 0) least = least == 0 ? limit : std::min(least, limit);
    group.resize(std::max(group.rfind('/') + 1, size_t{1}) - 1);
  }
  return least;
}

int64_t InstalledMemory(const std::string& root) {
  std::ifstream in(root + "/proc/meminfo");
  std::string name;
  int64_t kilobytes = 0;
  for (std::string rest; in >> name >> kilobytes; std::getline(in, rest)) {
    if (name == "MemTotal:") return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

MachineLimits MachineLimits::Read(const std::string& root) {
  MachineLimits limits;
  limits.memory_bytes = InstalledMemory(root);
  int64_t cgroup = CgroupMemory(root);
  if (cgroup > 0 && (limits.memory_bytes == 0 || cgroup < limits.memory_bytes)) {
    limits.memory_bytes = cgroup;
  }
  limits.listen_backlog = Number(root + "/proc/sys/net/core/somaxconn");
  return limits;
}

}  // namespace cloakroom
