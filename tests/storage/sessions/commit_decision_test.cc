#include "storage/sessions/commit_decision.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

CommitCase Decide(const CommitRequest& request, int64_t holder_fence, const SessionHash& hash) {
  return DecideCommit(request, holder_fence, hash, /*spent=*/false);
}

constexpr SessionHash kHash = {.exists = true, .writes = 8, .pid = "web1|5042|70"};
constexpr char kVersion[] = "8-70";

SessionHash WithLock(int64_t lock) {
  SessionHash hash = kHash;
  hash.lock = lock;
  return hash;
}

TEST(CommitDecisionTest, TheHolderCommits) {
  EXPECT_EQ(Decide({.fence = 71}, 71, kHash), CommitCase::kHeld);
  EXPECT_EQ(Decide({.fence = 71, .if_version = kVersion}, 71, kHash), CommitCase::kHeld);
}

TEST(CommitDecisionTest, TheHolderCommitsAlthoughTheSessionHasExpired) {
  EXPECT_EQ(Decide({.fence = 71, .if_version = kVersion}, 71, SessionHash()), CommitCase::kHeld);
}

TEST(CommitDecisionTest, ARepeatedCommitIsKnownByItsFenceInTheHash) {
  EXPECT_EQ(Decide({.fence = 70}, 0, kHash), CommitCase::kRepeated);
  EXPECT_EQ(Decide({.fence = 70, .if_version = "7-60"}, 0, kHash), CommitCase::kRepeated);
  EXPECT_EQ(Decide({.fence = 70}, 71, kHash), CommitCase::kRepeated) << "others hold it";
  EXPECT_EQ(Decide({.fence = 70}, 0, WithLock(3)), CommitCase::kRepeated);
}

TEST(CommitDecisionTest, ALateCommitNeedsTheVersionThatItsSenderRead) {
  EXPECT_EQ(Decide({.fence = 69, .if_version = kVersion}, 0, kHash), CommitCase::kLate);
  EXPECT_EQ(Decide({.fence = 69}, 0, kHash), CommitCase::kFenced);
  for (const char* other : {"7-70", "8-71", "8-0", "0-0", "", "8", "8-070", "08-70", "8-70 "})
    EXPECT_EQ(Decide({.fence = 69, .if_version = other}, 0, kHash), CommitCase::kFenced) << other;
}

TEST(CommitDecisionTest, ALateCommitNeedsThatNobodyHoldsTheLock) {
  const CommitRequest late = {.fence = 69, .if_version = kVersion};
  EXPECT_EQ(Decide(late, 71, kHash), CommitCase::kFenced);
  EXPECT_EQ(Decide(late, 71, WithLock(kPublishedLock)), CommitCase::kFenced);
  EXPECT_EQ(Decide(late, 0, WithLock(1)), CommitCase::kFenced);
  EXPECT_EQ(Decide(late, 0, WithLock(999'999)), CommitCase::kFenced);
  EXPECT_EQ(Decide(late, 0, WithLock(kPublishedLock)), CommitCase::kLate) << "an orphan";
}

TEST(CommitDecisionTest, WithoutALockTheVersionDecides) {
  EXPECT_EQ(Decide({.if_version = kVersion}, 0, kHash), CommitCase::kLate);
  EXPECT_EQ(Decide({.if_version = "7-60"}, 0, kHash), CommitCase::kFenced);
  EXPECT_EQ(Decide({.if_version = "0-0"}, 0, SessionHash()), CommitCase::kLate);
  EXPECT_EQ(Decide({}, 0, kHash), CommitCase::kFenced);
}

TEST(CommitDecisionTest, WhatAPlainClientWroteLastHasNoVersionOfOneContent) {
  for (const char* pid : {"web1|5042", "web1|5042|0", ""}) {
    const SessionHash plain = {.exists = true, .writes = 8, .pid = pid};
    EXPECT_EQ(Decide({.fence = 69, .if_version = "8-0"}, 0, plain), CommitCase::kFenced);
    EXPECT_EQ(Decide({.if_version = "8-0"}, 0, plain), CommitCase::kFenced);
    EXPECT_EQ(Decide({.fence = 69, .if_version = "8-0"}, 69, plain), CommitCase::kHeld);
  }
  EXPECT_EQ(Decide({.if_version = "0-0+"}, 0, {.exists = true}), CommitCase::kFenced);
}

TEST(CommitDecisionTest, ZeroIsNobodysFence) {
  const SessionHash plain = {.exists = true, .writes = 8, .pid = "web1|5042"};
  EXPECT_EQ(Decide({.fence = 0}, 0, plain), CommitCase::kFenced);
  EXPECT_EQ(Decide({.fence = 0}, 0, SessionHash()), CommitCase::kFenced);
}

TEST(CommitDecisionTest, ASpentFenceMakesNoSessionAgain) {
  const CommitRequest again = {.fence = 69, .if_version = "0-0"};
  EXPECT_EQ(DecideCommit(again, 0, SessionHash(), /*spent=*/true), CommitCase::kFenced);
  EXPECT_EQ(DecideCommit(again, 69, SessionHash(), /*spent=*/true), CommitCase::kHeld);
  EXPECT_EQ(DecideCommit({.fence = 70}, 0, kHash, /*spent=*/true), CommitCase::kRepeated);
}

}  // namespace
}  // namespace cloakroom
