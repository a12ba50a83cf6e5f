#include "clients/drill/shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::HasSubstr;

const Address kPrimary = {"10.0.0.1", 6379};

TEST(ShellTest, TheCommandKnowsThePrimary) {
  EXPECT_OK(RunShell("[ \"$DRILL_HOST:$DRILL_PORT\" = 10.0.0.1:6379 ]", kPrimary));
}

TEST(ShellTest, TheCommandDoesNotGetThePasswords) {
  setenv("CLOAKROOM_DRILL_PASSWORD", "secret", 1);
  EXPECT_OK(RunShell("[ -z \"$CLOAKROOM_DRILL_PASSWORD\" ]", kPrimary));
  unsetenv("CLOAKROOM_DRILL_PASSWORD");
}

TEST(ShellTest, AnotherStatusIsAnError) {
  EXPECT_THAT(RunShell("exit 3", kPrimary), FailsWith(HasSubstr("'exit 3' ended with status 3")));
  EXPECT_THAT(RunShell("kill -9 $$", kPrimary), FailsWith(HasSubstr("signal 9")));
}

TEST(ShellTest, WhatTakesTooLongIsKilledWithItsChildren) {
  EXPECT_THAT(RunShell("sleep 600 & wait", kPrimary, std::chrono::milliseconds(50)),
              FailsWith(HasSubstr("took too long")));
}

}  // namespace
}  // namespace cloakroom::drill
