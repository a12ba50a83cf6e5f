#include "clients/drill/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;

TEST(LedgerTest, NothingIsLostWhileTheNewestWriteIsThere) {
  Ledger ledger(1);
  ledger.Observe(0, std::nullopt);  // before the first write there is no session
  ledger.Acknowledge(0, 1, 10);
  ledger.Observe(0, 1);
  ledger.Acknowledge(0, 2, 20);
  ledger.Raise(0, 2, Level::kWait, 20);
  ledger.Acknowledge(0, 3, 30);
  ledger.Raise(0, 3, Level::kWaitAof, 30);
  ledger.Observe(0, 3);
  const Ledger::Totals totals = ledger.Sum();
  EXPECT_THAT(totals.acknowledged, ElementsAre(1, 1, 1));
  EXPECT_THAT(totals.lost, ElementsAre(0, 0, 0));
  EXPECT_EQ(totals.sessions, 1);
  EXPECT_EQ(totals.sessions_lost + totals.sessions_older + totals.sessions_unread, 0);
}

TEST(LedgerTest, AnOlderSessionLosesWhatCameAfterIt) {
  Ledger ledger(2);
  ledger.Acknowledge(0, 1, 1);
  ledger.Raise(0, 1, Level::kWait, 1);
  ledger.Acknowledge(0, 2, 2);
  ledger.Acknowledge(0, 4, 4);
  ledger.Raise(0, 4, Level::kWait, 4);
  ledger.Acknowledge(1, 1, 1);
  ledger.Observe(0, 1);
  ledger.Observe(1, 1);
  const Ledger::Totals totals = ledger.Sum();
  EXPECT_THAT(totals.lost, ElementsAre(1, 1, 0));
  EXPECT_EQ(totals.sessions_older, 1);
  EXPECT_EQ(totals.sessions_lost, 0);
  EXPECT_FALSE(ledger.entries(0)[0].lost);
  EXPECT_TRUE(ledger.entries(0)[2].lost);
}

TEST(LedgerTest, ASessionThatIsGoneLosesAll) {
  Ledger ledger(1);
  ledger.Acknowledge(0, 1, 1);
  ledger.Acknowledge(0, 2, 2);
  ledger.Observe(0, std::nullopt);
  EXPECT_EQ(ledger.Sum().lost[0], 2);
  EXPECT_EQ(ledger.Sum().sessions_lost, 1);
  EXPECT_EQ(ledger.Sum().sessions_older, 0);
}

TEST(LedgerTest, WhatIsLostStaysLostThoughTheSessionGoesOn) {
  Ledger ledger(1);
  ledger.Acknowledge(0, 1, 1);
  ledger.Acknowledge(0, 2, 2);
  ledger.Observe(0, 1);
  ledger.Acknowledge(0, 3, 3);
  ledger.Observe(0, 3);
  EXPECT_EQ(ledger.Sum().lost[0], 1);
  EXPECT_TRUE(ledger.entries(0)[1].lost);
}

TEST(LedgerTest, ALossIsCountedOnce) {
  Ledger ledger(1);
  ledger.Acknowledge(0, 1, 1);
  ledger.Acknowledge(0, 2, 2);
  ledger.Observe(0, 1);
  ledger.Observe(0, 1);
  EXPECT_EQ(ledger.Sum().lost[0], 1);
  ledger.Observe(0, 0);
  EXPECT_EQ(ledger.Sum().lost[0], 2);
}

TEST(LedgerTest, AWriteThatNobodyAcknowledgedMayBeThere) {
  Ledger ledger(1);
  ledger.Acknowledge(0, 1, 1);
  ledger.Observe(0, 2);
  EXPECT_EQ(ledger.Sum().lost[0], 0);
}

TEST(LedgerTest, ALevelMayBeReachedAfterLaterWritesAndAfterTheLoss) {
  Ledger ledger(1);
  ledger.Acknowledge(0, 2, 1);
  ledger.Acknowledge(0, 5, 2);
  ledger.Observe(0, 0);
  ledger.Raise(0, 2, Level::kWait, 3);
  ledger.Raise(0, 3, Level::kWait, 3);  // nobody acknowledged that one
  EXPECT_THAT(ledger.Sum().acknowledged, ElementsAre(1, 1, 0));
  EXPECT_THAT(ledger.Sum().lost, ElementsAre(1, 1, 0));
  EXPECT_EQ(ledger.entries(0)[0].at_ms, 3);
}

TEST(LedgerTest, AnUnreadSessionCountsOnlyIfItHadAWrite) {
  Ledger ledger(2);
  ledger.Acknowledge(0, 1, 1);
  ledger.NoteUnread(0);
  ledger.NoteUnread(1);
  EXPECT_EQ(ledger.Sum().sessions_unread, 1);
  EXPECT_EQ(ledger.Sum().sessions, 1);
}

TEST(LedgerTest, DataHoldsTheNumberAndHasASessionsSize) {
  EXPECT_EQ(NumberOfData(SessionData(0)), 0u);
  EXPECT_EQ(NumberOfData(SessionData(18'446'744'073'709'551'615u)), 18'446'744'073'709'551'615u);
  EXPECT_EQ(SessionData(7).size(), 2000u);
  for (const char* data : {"", "7", ":", "x:", "-1:s"}) EXPECT_FALSE(NumberOfData(data)) << data;
}

}  // namespace
}  // namespace cloakroom::drill
