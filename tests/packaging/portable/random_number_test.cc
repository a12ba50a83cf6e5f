// Our function is linked in and hides glibc's from this binary.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <set>

namespace {

TEST(RandomNumber, IsNotGlibcs) {
  EXPECT_NE(reinterpret_cast<void*>(&arc4random), dlsym(RTLD_NEXT, "arc4random"));
}

TEST(RandomNumber, UsesAllBitsAndDoesNotRepeat) {
  std::set<uint32_t> seen;
  uint32_t ones = 0;
  uint32_t zeroes = 0;
  constexpr size_t kNumbers = 1000;
  for (size_t i = 0; i < kNumbers; ++i) {
    uint32_t number = arc4random();
    seen.insert(number);
    ones |= number;
    zeroes |= ~number;
  }
  EXPECT_GT(seen.size(), kNumbers - 10);
  EXPECT_EQ(ones, UINT32_MAX);
  EXPECT_EQ(zeroes, UINT32_MAX);
}

}  // namespace
