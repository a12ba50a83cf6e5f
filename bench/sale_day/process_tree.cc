#include "bench/sale_day/process_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench/sale_day/probe.h"

namespace cloakroom::bench {

namespace {

constexpr int64_t kSampleNs = 200'000'000;

std::vector<int> ChildrenOf(int pid) {
  std::vector<int> children;
  std::error_code gone;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator task(tasks, gone), end; !gone && task != end;
       task.increment(gone)) {
    std::ifstream file(task->path() / "children");
    for (int child = 0; file >> child;) children.push_back(child);
  }
  return children;
}

int64_t OwnBytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; file >> word;) {
    int64_t kilobytes = 0;
    if (word == "Pss:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

int64_t ProportionalBytesOf(int pid) {
  int64_t bytes = OwnBytes(pid);
  for (const int child : ChildrenOf(pid)) bytes += ProportionalBytesOf(child);
  return bytes;
}

PeakMemory::PeakMemory(int pid)
    : thread_([this, pid] {
        while (!stopping_.load()) {
          peak_bytes_ = std::max(peak_bytes_, ProportionalBytesOf(pid));
          SleepNs(kSampleNs);
        }
      }) {}

PeakMemory::~PeakMemory() { Stop(); }

int64_t PeakMemory::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return peak_bytes_;
}

}  // namespace cloakroom::bench
