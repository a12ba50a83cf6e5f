#include "server/script/running_scripts.h"

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

using Result = RunningScripts::KillResult;

class RunningScriptsTest : public testing::Test {
 protected:
  RunningScripts scripts_;
  RunningScript one_;
  RunningScript other_;
};

TEST_F(RunningScriptsTest, OnlyABusyScriptIsKilled) {
  EXPECT_EQ(scripts_.Kill(), Result::kNothingRuns);
  scripts_.Add(&one_);
  scripts_.Add(&other_);
  EXPECT_EQ(scripts_.Kill(), Result::kNothingRuns);
  one_.busy = true;
  EXPECT_EQ(scripts_.Kill(), Result::kKilled);
  EXPECT_TRUE(one_.kill);
  EXPECT_FALSE(other_.kill);
}

TEST_F(RunningScriptsTest, OneThatHasWrittenGoesOnAndSaysSoWhicheverComesFirst) {
  for (RunningScript* writer : {&one_, &other_}) {
    RunningScript* reader = writer == &one_ ? &other_ : &one_;
    scripts_.Add(&one_);
    scripts_.Add(&other_);
    one_.busy = other_.busy = true;
    writer->wrote = true;
    EXPECT_EQ(scripts_.Kill(), Result::kWrote);
    EXPECT_FALSE(writer->kill);
    EXPECT_TRUE(reader->kill);
    writer->wrote = reader->kill = false;
    scripts_.Remove(&one_);
    scripts_.Remove(&other_);
  }
}

TEST_F(RunningScriptsTest, OneThatHasEndedIsForgotten) {
  one_.busy = true;
  scripts_.Add(&one_);
  scripts_.Remove(&one_);
  EXPECT_EQ(scripts_.Kill(), Result::kNothingRuns);
  EXPECT_FALSE(one_.kill);
}

TEST_F(RunningScriptsTest, TheEndOfAllSparesNoWriterAndNobodyWhoComesLater) {
  scripts_.Add(&one_);
  EXPECT_FALSE(scripts_.AnyBusy());
  EXPECT_FALSE(scripts_.AnyWrote());
  one_.busy = one_.wrote = true;
  EXPECT_TRUE(scripts_.AnyBusy());
  EXPECT_TRUE(scripts_.AnyWrote());
  scripts_.EndAll();
  EXPECT_TRUE(one_.kill);
  scripts_.Add(&other_);
  EXPECT_TRUE(other_.kill);
}

}  // namespace
}  // namespace cloakroom
