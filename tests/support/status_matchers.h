#ifndef CLOAKROOM_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define CLOAKROOM_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

namespace cloakroom {

inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

/// EXPECT_THAT(files.Remove("a"), IsOk());
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  const absl::Status status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.ok();
}

/// EXPECT_THAT(log.Load(), FailsWith(HasSubstr("No space left on device")));
MATCHER_P(FailsWith, message, "is an error whose message is as wanted") {
  const absl::Status status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() &&
         testing::Matches(testing::Matcher<std::string>(message))(std::string(status.message()));
}

}  // namespace cloakroom

// Variadic, so that commas within braces do not matter.
#define EXPECT_OK(...) EXPECT_THAT((__VA_ARGS__), ::cloakroom::IsOk())
#define ASSERT_OK(...) ASSERT_THAT((__VA_ARGS__), ::cloakroom::IsOk())

#endif  // CLOAKROOM_TESTS_SUPPORT_STATUS_MATCHERS_H_
