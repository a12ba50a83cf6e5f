#include "server/commands/support/scan_options.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

// The tests of the commands test how the arguments are parsed: sets_test.cc, hashes_test.cc.

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
