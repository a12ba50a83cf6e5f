#include "server/persistence/load_progress.h"

#include "gtest/gtest.h"
#include "tests/support/test_clock.h"

namespace cloakroom {
namespace {

TEST(LoadProgressTest, CountsFromTheBeginOfEachLoad) {
  TestClock clock;
  LoadProgress progress(clock);
  EXPECT_EQ(progress.phase(), LoadProgress::Phase::kNone);
  progress.Begin();
  EXPECT_EQ(progress.phase(), LoadProgress::Phase::kRefusing);
  EXPECT_EQ(progress.figures().started_s, TestClock::kStartMs / 1000);
  progress.set_total(100);
  progress.NoteBytes(40);
  progress.NoteKeys(/*keys=*/3, /*expired=*/2, /*lost=*/1);
  progress.NoteKeys(/*keys=*/4, /*expired=*/0, /*lost=*/0);
  LoadProgress::Figures figures = progress.figures();
  EXPECT_EQ(figures.phase, LoadProgress::Phase::kRefusing);
  EXPECT_EQ(figures.total_bytes, 100);
  EXPECT_EQ(figures.done_bytes, 40);
  EXPECT_EQ(figures.keys, 7);
  EXPECT_EQ(figures.expired_keys, 2);
  EXPECT_EQ(figures.lost, 1);
  progress.End();
  EXPECT_EQ(progress.phase(), LoadProgress::Phase::kNone);
  EXPECT_EQ(progress.figures().keys, 7) << "INFO shows them afterwards";
  clock.AdvanceMs(5'000);
  progress.Begin();
  figures = progress.figures();
  EXPECT_EQ(figures.started_s, TestClock::kStartMs / 1000 + 5);
  EXPECT_EQ(figures.keys + figures.expired_keys + figures.lost + figures.done_bytes, 0);
}

}  // namespace
}  // namespace cloakroom
