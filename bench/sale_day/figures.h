#ifndef CLOAKROOM_BENCH_SALE_DAY_FIGURES_H_
#define CLOAKROOM_BENCH_SALE_DAY_FIGURES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cloakroom::bench {

/// Prints the message to stderr and ends the program with exit code 1: a run that went wrong must
/// not give a figure.
[[noreturn]] void Fail(const std::string& message);

inline constexpr int64_t kSecond = 1'000'000'000;  ///< in nanoseconds

/// Nanoseconds of the monotonic clock.
int64_t NowNs();
/// Milliseconds since 1970.
int64_t UnixMs();

/// What /proc says about the server's process; zeros for pid 0.
struct ProcessUse {
  double user_us = 0;
  double system_us = 0;
  double total_us() const { return user_us + system_us; }
};
ProcessUse CpuOf(int pid);
int64_t ResidentBytesOf(int pid);

/// The latencies of one connection or one run. Each is kept, so that the maximum is exact.
class Latencies {
 public:
  void Add(int64_t ns) {
    samples_.push_back(static_cast<uint32_t>(ns > UINT32_MAX ? UINT32_MAX : ns));
  }
  size_t size() const { return samples_.size(); }
  /// Adds p50_us, p99_us, p999_us, max_us and probes to `figures`.
  void Report(std::map<std::string, double>& figures);

 private:
  std::vector<uint32_t> samples_;
};

/// Named numbers; a run's whole result, printed as one JSON object on stdout.
using Figures = std::map<std::string, double>;
void Print(const Figures& figures);

}  // namespace cloakroom::bench

#endif  // CLOAKROOM_BENCH_SALE_DAY_FIGURES_H_
