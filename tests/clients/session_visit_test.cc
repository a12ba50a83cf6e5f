#include "clients/session_visit.h"

#include <gtest/gtest.h>

#include "clients/request.h"

namespace cloakroom {
namespace {

TEST(SessionVisitTest, IsElevenCommandsInSevenRoundTrips) {
  const VisitedSession session = {.key = "sess_x"};
  std::vector<VisitStep> visit = SessionRead(session);
  for (const VisitStep& step : SessionWrite(session, "data")) visit.push_back(step);
  EXPECT_EQ(visit.size(), 7u);
  size_t commands = 0;
  for (const VisitStep& step : visit) commands += step.replies;
  EXPECT_EQ(commands, 11u);
}

TEST(SessionVisitTest, ReadTakesTheLockBeforeItReads) {
  const std::vector<VisitStep> visit =
      SessionRead({.key = "k", .database = 4, .pid = "p", .lifetime_s = 60});
  ASSERT_EQ(visit.size(), 4u);
  EXPECT_EQ(visit[0].bytes, Request({"SELECT", "4"}));
  EXPECT_EQ(visit[1].bytes, Request({"HINCRBY", "k", "lock", "1"}));
  EXPECT_EQ(visit[2].bytes, Request({"HMGET", "k", "data", "writes"}));
  EXPECT_NE(visit[3].bytes.find(Request({"EXPIRE", "k", "60"})), std::string::npos);
}

TEST(SessionVisitTest, WriteFreesTheLockWithTheData) {
  const std::vector<VisitStep> visit = SessionWrite({.key = "k"}, "blob");
  ASSERT_EQ(visit.size(), 3u);
  EXPECT_EQ(visit[1].bytes, Request({"HGET", "k", "pid"}));
  EXPECT_EQ(visit[2].bytes,
            Request({"SELECT", "2"}) + Request({"HMSET", "k", "data", "blob", "lock", "0"}) +
                Request({"HINCRBY", "k", "writes", "1"}) + Request({"EXPIRE", "k", "21600"}));
}

}  // namespace
}  // namespace cloakroom
