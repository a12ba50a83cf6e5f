#include "server/net/pulse.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(PulseTest, BeforeTheFirstQuestionNobodyIsSilent) {
  EXPECT_EQ(Pulse(2).Silent(), std::nullopt);
}

TEST(PulseTest, WhoeverHasNotAnsweredIsSilent) {
  Pulse pulse(3);
  pulse.Ask();
  EXPECT_EQ(pulse.Silent(), 0u);
  pulse.Answer(0);
  pulse.Answer(2);
  EXPECT_EQ(pulse.Silent(), 1u);
  pulse.Answer(1);
  EXPECT_EQ(pulse.Silent(), std::nullopt);
}

TEST(PulseTest, ANewQuestionWantsNewAnswers) {
  Pulse pulse(1);
  pulse.Ask();
  pulse.Answer(0);
  pulse.Ask();
  EXPECT_EQ(pulse.Silent(), 0u);
}

}  // namespace
}  // namespace cloakroom
