#include "storage/gate/gate_tickets.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

class GateTicketsTest : public testing::Test {
 protected:
  /// Whether somebody without a ticket may close the gate.
  static bool LetsOthersClose(Gate& gate) {
    if (gate.TryClose(/*queued=*/false) != Gate::Closing::kDone) return false;
    gate.Open();
    return true;
  }

  Gate first_{1, std::chrono::microseconds(0)};
  Gate second_{1, std::chrono::microseconds(0)};
  GateTickets tickets_;
};

TEST_F(GateTicketsTest, AGateThatRefusesTwiceGivesOneTicket) {
  tickets_.Refused(first_);
  tickets_.Refused(first_);
  EXPECT_TRUE(tickets_.any());
  EXPECT_FALSE(LetsOthersClose(first_));
  tickets_.Clear();
  EXPECT_FALSE(tickets_.any());
  EXPECT_TRUE(LetsOthersClose(first_));
}

TEST_F(GateTicketsTest, TicketsAreKeptWhenAnotherGateRefuses) {
  tickets_.Refused(first_);
  tickets_.Refused(second_);
  EXPECT_FALSE(LetsOthersClose(first_));
  EXPECT_FALSE(LetsOthersClose(second_));
}

TEST_F(GateTicketsTest, DuringALongWaitNobodyElsewhereIsMadeToStandBack) {
  tickets_.Refused(first_);
  ASSERT_EQ(second_.TryClose(/*queued=*/true), Gate::Closing::kDone);
  second_.SetBusy();
  tickets_.Refused(second_);
  EXPECT_TRUE(tickets_.any());
  EXPECT_TRUE(LetsOthersClose(first_));
  second_.Open();
  EXPECT_FALSE(LetsOthersClose(second_));
}

}  // namespace
}  // namespace cloakroom
