#include "server/commands/support/sampling.h"

#include <vector>

#include "absl/random/random.h"
#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(SelectionSamplerTest, TakesExactlyAsManyAsWanted) {
  absl::InsecureBitGen random;
  for (size_t wanted : {0, 1, 5, 10}) {
    SelectionSampler sampler(wanted, 10);
    size_t taken = 0;
    for (int i = 0; i < 10; ++i) taken += sampler.Take(random) ? 1 : 0;
    EXPECT_EQ(taken, wanted);
  }
}

TEST(SelectionSamplerTest, TakesEveryItemAboutEquallyOften) {
  absl::InsecureBitGen random;
  std::vector<int> taken(10);
  constexpr int kRounds = 10'000;
  for (int round = 0; round < kRounds; ++round) {
    SelectionSampler sampler(3, taken.size());
    for (int& count : taken) count += sampler.Take(random) ? 1 : 0;
  }
  // Expected: 3,000, with a standard deviation of 46.
  for (int count : taken) EXPECT_NEAR(count, 3'000, 400);
}

}  // namespace
}  // namespace cloakroom
