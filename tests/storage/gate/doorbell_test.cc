#include "storage/gate/doorbell.h"

#include <thread>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(DoorbellTest, ReturnsWhenTheGateOpens) {
  Gate gate(1, std::chrono::microseconds(0));
  ASSERT_EQ(gate.TryClose(/*queued=*/false), Gate::Closing::kDone);
  std::thread opener([&] { gate.Open(); });
  Doorbell doorbell;
  // It may look again a few times before the other thread has run.
  while (!gate.TryPass(0)) doorbell.Await(&gate, {});
  gate.Leave(0);
  opener.join();
}

TEST(DoorbellTest, ReturnsToLookAgain) {
  Gate gate(1, std::chrono::microseconds(0));
  ASSERT_EQ(gate.TryClose(/*queued=*/false), Gate::Closing::kDone);
  Doorbell doorbell;
  doorbell.Await(&gate, {});
  doorbell.Await(&gate, {});
  doorbell.Await(nullptr, {});
  gate.Open();
}

TEST(DoorbellTest, AGateMayRingWhenNobodyListensAnyMore) {
  Gate gate(1, std::chrono::microseconds(0));
  ASSERT_EQ(gate.TryClose(/*queued=*/false), Gate::Closing::kDone);
  {
    Doorbell().Await(&gate, {});
  }
  gate.Open();
}

}  // namespace
}  // namespace cloakroom
