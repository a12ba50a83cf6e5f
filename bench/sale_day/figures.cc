#include "bench/sale_day/figures.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace cloakroom::bench {

void Fail(const std::string& message) {
  std::fprintf(stderr, "sale_day: %s\n", message.c_str());
  std::_Exit(1);
}

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

int64_t UnixMs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

ProcessUse CpuOf(int pid) {
  if (pid == 0) return {};
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) Fail("no process " + std::to_string(pid));
  // proc(5): utime and stime are fields 14 and 15; the name, field 2, may hold spaces.
  std::istringstream fields(text.substr(name_end + 2));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  const double tick_us = 1e6 / static_cast<double>(sysconf(_SC_CLK_TCK));
  return {user * tick_us, system * tick_us};
}

int64_t ResidentBytesOf(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  int64_t size = 0;
  int64_t resident = 0;
  if (!(file >> size >> resident)) Fail("no process " + std::to_string(pid));
  return resident * sysconf(_SC_PAGESIZE);
}

void Latencies::Report(Figures& figures) {
  if (samples_.empty()) Fail("no latency was measured");
  std::sort(samples_.begin(), samples_.end());
  const auto at = [&](double share) {
    const size_t last = samples_.size() - 1;
    return samples_[std::min(last, static_cast<size_t>(share * static_cast<double>(last) + 0.5))] /
           1e3;
  };
  figures["p50_us"] = at(0.5);
  figures["p99_us"] = at(0.99);
  figures["p999_us"] = at(0.999);
  figures["max_us"] = at(1);
  figures["probes"] = static_cast<double>(samples_.size());
}

void Print(const Figures& figures) {
  const char* separator = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\": %.15g", separator, name.c_str(), value);
    separator = ", ";
  }
  std::printf("}\n");
}

}  // namespace cloakroom::bench
