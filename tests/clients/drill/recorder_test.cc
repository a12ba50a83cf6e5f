#include "clients/drill/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace cloakroom::drill {
namespace {

TEST(RecorderTest, AllHaveSucceededOnceTheLastHas) {
  Recorder recorder(2);
  EXPECT_FALSE(recorder.AllSucceededSince(0));
  recorder.Success(0);
  EXPECT_FALSE(recorder.AllSucceededSince(0));
  recorder.Success(1);
  EXPECT_TRUE(recorder.AllSucceededSince(0));
  EXPECT_FALSE(recorder.AllSucceededSince(recorder.NowMs() + 10'000));
}

TEST(RecorderTest, TheCommonErrorIsTheMostFrequentOne) {
  Recorder recorder(1);
  EXPECT_EQ(recorder.CommonError(), "");
  recorder.Error("READONLY");
  recorder.Error("closed");
  recorder.Error("closed");
  EXPECT_EQ(recorder.CommonError(), "closed");
  EXPECT_EQ(recorder.Copy().errors_ms.at("READONLY").size(), 1u);
}

TEST(RecorderTest, EventsHaveALimit) {
  Recorder recorder(1);
  for (int i = 0; i < 10'100; ++i) recorder.AddEvent("sentinel", "+tilt");
  EXPECT_EQ(recorder.Copy().events.size(), 10'000u);
}

TEST(RecorderTest, ThreadsMayRecordTogether) {
  Recorder recorder(4);
  std::vector<std::thread> threads;
  for (size_t client = 0; client < 4; ++client) {
    threads.emplace_back([&recorder, client] {
      for (uint64_t number = 1; number <= 100; ++number) {
        recorder.Acknowledge(client, number);
        recorder.Observe(client, number);
        recorder.Success(client);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(recorder.CopyLedger().Sum().acknowledged[0], 400);
  EXPECT_EQ(recorder.CopyLedger().Sum().lost[0], 0);
  EXPECT_EQ(recorder.Copy().successes_ms[3].size(), 100u);
}

}  // namespace
}  // namespace cloakroom::drill
