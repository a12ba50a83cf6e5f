#include "storage/base/huge_pages.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace cloakroom {
namespace {

/// The kernel's setting for this process: "1" or "0", or nothing if it does not know huge pages.
std::string Allowed() {
  std::ifstream status("/proc/self/status");
  for (std::string name, value; status >> name && std::getline(status >> std::ws, value);) {
    if (name == "THP_enabled:") return value;
  }
  return "";
}

TEST(HugePagesTest, AreForbiddenAndAllowedAgain) {
  if (Allowed().empty()) GTEST_SKIP() << "this kernel does not tell";
  AllowHugePages(false);
  EXPECT_EQ(Allowed(), "0");
  AllowHugePages(true);
  EXPECT_EQ(Allowed(), "1");
}

}  // namespace
}  // namespace cloakroom
