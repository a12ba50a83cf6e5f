#include "storage/sessions/fenced_notes.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(FencedNotesTest, FindsWhatWasNoted) {
  FencedNotes notes;
  EXPECT_EQ(notes.Find(7), nullptr);
  notes.Note(7, {FencedReason::kBroken, "web3|9", 30'004}, 0);
  notes.Note(8, {FencedReason::kDeleted}, 0);
  ASSERT_NE(notes.Find(7), nullptr);
  EXPECT_EQ(notes.Find(7)->reason, FencedReason::kBroken);
  EXPECT_EQ(notes.Find(7)->by, "web3|9");
  EXPECT_EQ(notes.Find(7)->after_ms, 30'004);
  EXPECT_EQ(notes.Find(8)->reason, FencedReason::kDeleted);
  EXPECT_EQ(notes.Find(9), nullptr);
}

TEST(FencedNotesTest, KeepsTheLatest) {
  FencedNotes notes;
  const int64_t all = FencedNotes::kMost + 3;
  for (int64_t fence = 1; fence <= all; ++fence) notes.Note(fence, {FencedReason::kTaken}, 0);
  EXPECT_EQ(notes.Find(3), nullptr);
  EXPECT_NE(notes.Find(4), nullptr);
  EXPECT_NE(notes.Find(all), nullptr);
}

TEST(FencedNotesTest, ForgetsWithTime) {
  FencedNotes notes;
  notes.Note(1, {FencedReason::kTaken}, 1000);
  notes.Note(2, {FencedReason::kTaken}, 2000);
  notes.Forget(999 + FencedNotes::kKeepMs);
  EXPECT_NE(notes.Find(1), nullptr);
  notes.Forget(1000 + FencedNotes::kKeepMs);
  EXPECT_EQ(notes.Find(1), nullptr);
  EXPECT_NE(notes.Find(2), nullptr);
  EXPECT_GT(notes.bytes(), 0u);
  notes.Forget(2000 + FencedNotes::kKeepMs);
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(notes.bytes(), 0u);
}

TEST(FencedNotesTest, KnowsSpentFences) {
  FencedNotes notes;
  EXPECT_FALSE(notes.Spent(7));
  notes.NoteSpent(7, 1000);
  notes.Note(8, {FencedReason::kDeleted}, 1000);
  notes.Note(9, {FencedReason::kBroken}, 1000);
  EXPECT_TRUE(notes.Spent(7));
  EXPECT_TRUE(notes.Spent(8));
  EXPECT_FALSE(notes.Spent(9));
  EXPECT_EQ(notes.Find(7), nullptr);
  notes.Forget(1000 + FencedNotes::kKeepMs);
  EXPECT_FALSE(notes.Spent(7));
  EXPECT_EQ(notes.bytes(), 0u);
}

TEST(FencedNotesTest, KnowsWhatWasDestroyed) {
  FencedNotes notes;
  EXPECT_FALSE(notes.Destroyed("s", 7));
  notes.NoteDestroyed("s", 7, 1000);
  EXPECT_TRUE(notes.Destroyed("s", 6));
  EXPECT_TRUE(notes.Destroyed("s", 7));
  EXPECT_FALSE(notes.Destroyed("s", 8)) << "given later";
  EXPECT_FALSE(notes.Destroyed("t", 7));
  notes.Forget(1000 + FencedNotes::kKeepMs);
  EXPECT_FALSE(notes.Destroyed("s", 7));
  EXPECT_EQ(notes.bytes(), 0u);
}

TEST(FencedNotesTest, KeepsTheLatestSpentFences) {
  FencedNotes notes;
  for (int64_t fence = 1; fence <= int64_t{FencedNotes::kMostSpent} + 1; ++fence)
    notes.NoteSpent(fence, 0);
  EXPECT_FALSE(notes.Spent(1));
  EXPECT_TRUE(notes.Spent(2));
}

TEST(FencedNotesTest, ReasonsHaveTheirWords) {
  EXPECT_EQ(FencedReasonName(FencedReason::kBroken), "broken");
  EXPECT_EQ(FencedReasonName(FencedReason::kTaken), "taken");
  EXPECT_EQ(FencedReasonName(FencedReason::kChanged), "changed");
  EXPECT_EQ(FencedReasonName(FencedReason::kDeleted), "deleted");
  EXPECT_EQ(FencedReasonName(FencedReason::kUnknown), "unknown");
}

}  // namespace
}  // namespace cloakroom
