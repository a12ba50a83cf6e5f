#include "server/net/replica_spools.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

int Niceness() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

class ReplicaSpoolsTest : public ServerTest {
 protected:
  ReplicaSpools spools_{server_, [](const std::function<void()>&) {}};
};

TEST_F(ReplicaSpoolsTest, WhatCopiesDoesNotGiveWayToWhatWrites) {
  std::promise<int> niceness;
  spools_.PostToDisk([&] { niceness.set_value(Niceness()); });
  EXPECT_EQ(niceness.get_future().get(), Niceness());
}

TEST_F(ReplicaSpoolsTest, TheDiskThreadIsNoneOfTheCallers) {
  std::promise<pid_t> first;
  std::promise<pid_t> second;
  spools_.PostToDisk([&] { first.set_value(gettid()); });
  spools_.PostToDisk([&] { second.set_value(gettid()); });
  const pid_t thread = first.get_future().get();
  EXPECT_NE(thread, gettid());
  EXPECT_EQ(second.get_future().get(), thread);
}

}  // namespace
}  // namespace cloakroom
