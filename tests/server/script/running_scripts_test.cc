#include "server/script/running_scripts.h"

#include <thread>

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
  EXPECT_TRUE(one_.must_end());
  EXPECT_FALSE(other_.must_end());
}

TEST_F(RunningScriptsTest, OneThatHasWrittenGoesOnAndSaysSoWhicheverComesFirst) {
  for (bool writer_first : {true, false}) {
    RunningScript writer;
    RunningScript reader;
    scripts_.Add(writer_first ? &writer : &reader);
    scripts_.Add(writer_first ? &reader : &writer);
    writer.busy = reader.busy = true;
    EXPECT_TRUE(writer.BeginToWrite());
    EXPECT_EQ(scripts_.Kill(), Result::kWrote);
    EXPECT_FALSE(writer.must_end());
    EXPECT_TRUE(reader.must_end());
    scripts_.Remove(&writer);
    scripts_.Remove(&reader);
  }
}

TEST_F(RunningScriptsTest, OneThatIsKilledWritesNoMore) {
  scripts_.Add(&one_);
  one_.busy = true;
  EXPECT_EQ(scripts_.Kill(), Result::kKilled);
  EXPECT_FALSE(one_.BeginToWrite());
  EXPECT_FALSE(one_.wrote());
  EXPECT_EQ(scripts_.Kill(), Result::kKilled);
}

TEST_F(RunningScriptsTest, OneThatHasEndedIsForgotten) {
  one_.busy = true;
  scripts_.Add(&one_);
  scripts_.Remove(&one_);
  EXPECT_EQ(scripts_.Kill(), Result::kNothingRuns);
  EXPECT_FALSE(one_.must_end());
}

TEST_F(RunningScriptsTest, TheEndOfAllSparesNoWriterAndNobodyWhoComesLater) {
  scripts_.Add(&one_);
  EXPECT_FALSE(scripts_.AnyBusy());
  EXPECT_FALSE(scripts_.AnyWrote());
  one_.busy = true;
  EXPECT_TRUE(one_.BeginToWrite());
  EXPECT_TRUE(scripts_.AnyBusy());
  EXPECT_TRUE(scripts_.AnyWrote());
  scripts_.EndAll();
  EXPECT_TRUE(one_.must_end());
  EXPECT_TRUE(one_.cut_off());
  scripts_.Add(&other_);
  EXPECT_TRUE(other_.must_end());
  EXPECT_FALSE(other_.cut_off());
}

TEST_F(RunningScriptsTest, AnEndThatWaitsEndsWhoIsThereTwiceAndHasNotWritten) {
  scripts_.Add(&one_);
  scripts_.Add(&other_);
  EXPECT_TRUE(one_.BeginToWrite());
  scripts_.EndLasting(/*hold_back=*/true);
  EXPECT_FALSE(other_.must_end()) << "it may be over in a moment";
  scripts_.EndLasting(/*hold_back=*/true);
  EXPECT_TRUE(other_.must_end());
  EXPECT_FALSE(other_.BeginToWrite());
  EXPECT_FALSE(one_.must_end());
  EXPECT_TRUE(one_.BeginToWrite()) << "it goes on with what it has begun";
}

TEST_F(RunningScriptsTest, AnEndThatWaitsHoldsBackScriptsUntilItIsRefused) {
  EXPECT_FALSE(scripts_.held_back());
  scripts_.Add(&one_);
  scripts_.EndLasting(/*hold_back=*/true);
  EXPECT_TRUE(scripts_.held_back());
  scripts_.LetGoOn();
  EXPECT_FALSE(scripts_.held_back());
  scripts_.EndLasting(/*hold_back=*/true);
  EXPECT_FALSE(one_.must_end()) << "this end has seen it once";
}

TEST_F(RunningScriptsTest, TheEndOfReadersIsForGood) {
  scripts_.EndReaders();
  scripts_.Add(&one_);
  EXPECT_TRUE(one_.must_end());
  EXPECT_FALSE(one_.BeginToWrite());
}

TEST_F(RunningScriptsTest, EitherItIsEndedOrItWritesNeverBoth) {
  constexpr int kTimes = 2000;
  for (int i = 0; i < kTimes; ++i) {
    RunningScript script;
    script.busy = true;
    scripts_.Add(&script);
    bool wrote = false;
    std::thread runner([&] { wrote = script.BeginToWrite(); });
    const Result result = scripts_.Kill();
    runner.join();
    scripts_.Remove(&script);
    EXPECT_EQ(result, wrote ? Result::kWrote : Result::kKilled);
    EXPECT_NE(script.must_end(), wrote);
  }
}

}  // namespace
}  // namespace cloakroom
