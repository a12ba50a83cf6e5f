#include "clients/drill/error_code.h"

#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

TEST(ErrorCodeTest, AServersErrorIsItsCode) {
  EXPECT_EQ(CodeOf(absl::FailedPreconditionError("READONLY You can't write")), "READONLY");
  EXPECT_EQ(CodeOf(absl::FailedPreconditionError("h:1: cannot log in: WRONGPASS no")), "WRONGPASS");
  EXPECT_EQ(CodeOf(absl::FailedPreconditionError("no code")), "error");
  EXPECT_EQ(CodeOf(absl::FailedPreconditionError("")), "error");
}

TEST(ErrorCodeTest, LossesOfTheConnectionAreToldApart) {
  EXPECT_EQ(CodeOf(absl::UnavailableError("h:1: timed out")), "time-out");
  EXPECT_EQ(CodeOf(absl::UnavailableError("h:1: cannot connect: Connection refused")), "refused");
  EXPECT_EQ(CodeOf(absl::UnavailableError("the server closed the connection")), "closed");
  EXPECT_EQ(CodeOf(absl::UnavailableError("cannot send: Broken pipe")), "closed");
  EXPECT_EQ(CodeOf(absl::UnavailableError("cannot resolve x")), "no connection");
  EXPECT_EQ(CodeOf(absl::NotFoundError("h:1: is no primary")), "no primary");
}

}  // namespace
}  // namespace cloakroom::drill
