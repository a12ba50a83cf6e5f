#include "server/commands/support/scan_options.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

// How the arguments are parsed is tested with the commands: sets_test.cc, hashes_test.cc.

TEST(ScanOptionsTest, WithoutPatternEverythingMatches) {
  EXPECT_TRUE(ScanOptions{}.Matches(""));
  EXPECT_TRUE(ScanOptions{}.Matches("anything"));
}

TEST(ScanOptionsTest, APatternMatchesTheWholeElement) {
  ScanOptions options;
  options.pattern = "zc:*";
  EXPECT_TRUE(options.Matches("zc:k"));
  EXPECT_FALSE(options.Matches("xzc:k"));
}

}  // namespace
}  // namespace cloakroom
