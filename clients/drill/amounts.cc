#include "clients/drill/amounts.h"

#include <array>

#include "absl/strings/str_format.h"

namespace cloakroom::drill {
namespace {

std::string Rounded(double value, const char* unit) {
  const bool whole = value >= 10 || value == static_cast<double>(static_cast<int64_t>(value));
  return absl::StrFormat("%.*f %s", whole ? 0 : 1, value, unit);
}

}  // namespace

std::string BytesText(double bytes) {
  static constexpr std::array<const char*, 4> kUnits = {"B", "KB", "MB", "GB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return Rounded(bytes, kUnits[unit]);
}

std::string SecondsText(double seconds) {
  if (seconds >= 86'400) return "more than a day";
  if (seconds >= 7200) return absl::StrFormat("%.0f h", seconds / 3600);
  if (seconds >= 120) return absl::StrFormat("%.0f min", seconds / 60);
  if (seconds >= 10) return absl::StrFormat("%.0f s", seconds);
  return absl::StrFormat("%.2f s", seconds);
}

std::string CountText(int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace cloakroom::drill
