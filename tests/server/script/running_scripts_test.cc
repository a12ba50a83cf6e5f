#include "server/script/running_scripts.h"

#include <thread>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

using Kind = RunningScript::Kind;
using Result = RunningScripts::KillResult;

class RunningScriptsTest : public testing::Test {
 protected:
  void BeBusy(RunningScript& script) {
    const std::string_view command[] = {"FCALL", "f", "0"};
    scripts_.NoteBusy(&script, "f", command, 17);
  }

  RunningScripts scripts_;
  RunningScript one_;
  RunningScript other_;
};

TEST_F(RunningScriptsTest, OnlyABusyScriptIsKilled) {
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kNothingRuns);
  scripts_.Add(&one_);
  scripts_.Add(&other_);
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kNothingRuns);
  BeBusy(one_);
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kKilled);
  EXPECT_TRUE(one_.must_end());
  EXPECT_FALSE(other_.must_end());
}

TEST_F(RunningScriptsTest, OneThatHasWrittenGoesOnAndSaysSoWhicheverComesFirst) {
  for (bool writer_first : {true, false}) {
    RunningScript writer;
    RunningScript reader;
    scripts_.Add(writer_first ? &writer : &reader);
    scripts_.Add(writer_first ? &reader : &writer);
    BeBusy(writer);
    BeBusy(reader);
    EXPECT_TRUE(writer.BeginToWrite());
    EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kWrote);
    EXPECT_FALSE(writer.must_end());
    EXPECT_TRUE(reader.must_end());
    scripts_.Remove(&writer);
    scripts_.Remove(&reader);
  }
}

TEST_F(RunningScriptsTest, OneThatIsKilledWritesNoMore) {
  scripts_.Add(&one_);
  BeBusy(one_);
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kKilled);
  EXPECT_FALSE(one_.BeginToWrite());
  EXPECT_FALSE(one_.wrote());
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kKilled);
}

TEST_F(RunningScriptsTest, AFunctionIsKilledAsAFunctionOnly) {
  RunningScript function(Kind::kFunction);
  scripts_.Add(&function);
  EXPECT_EQ(scripts_.Kill(Kind::kFunction), Result::kNothingRuns);
  BeBusy(function);
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kOtherKind);
  EXPECT_FALSE(function.must_end());
  EXPECT_EQ(scripts_.Kill(Kind::kFunction), Result::kKilled);
  EXPECT_TRUE(function.must_end());
}

TEST_F(RunningScriptsTest, ThatAFunctionHasWrittenIsSaidToBoth) {
  RunningScript function(Kind::kFunction);
  scripts_.Add(&function);
  BeBusy(function);
  EXPECT_TRUE(function.BeginToWrite());
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kWrote);
  EXPECT_EQ(scripts_.Kill(Kind::kFunction), Result::kWrote);
}

TEST_F(RunningScriptsTest, ABusyFunctionIsKnownWithItsCommand) {
  RunningScript function(Kind::kFunction);
  scripts_.Add(&one_);
  BeBusy(one_);
  scripts_.Add(&function);
  EXPECT_FALSE(scripts_.Busy()) << "it is not busy yet";
  BeBusy(function);
  const std::optional<BusyFunction> busy = scripts_.Busy();
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->name, "f");
  EXPECT_EQ(busy->command, (std::vector<std::string>{"FCALL", "f", "0"}));
  EXPECT_EQ(busy->started_us, 17);
}

TEST_F(RunningScriptsTest, WhoWaitsHearsHowToEndTheWait) {
  RunningScript function(Kind::kFunction);
  EXPECT_EQ(scripts_.BusyReply(), kBusyScript);
  scripts_.Add(&function);
  BeBusy(function);
  EXPECT_EQ(scripts_.BusyReply(), kBusyFunction);
  scripts_.Add(&one_);
  BeBusy(one_);
  EXPECT_EQ(scripts_.BusyReply(), kBusyScript);
}

TEST_F(RunningScriptsTest, OneThatHasEndedIsForgotten) {
  BeBusy(one_);
  scripts_.Add(&one_);
  scripts_.Remove(&one_);
  EXPECT_EQ(scripts_.Kill(Kind::kScript), Result::kNothingRuns);
  EXPECT_FALSE(one_.must_end());
}

TEST_F(RunningScriptsTest, TheEndOfAllSparesNoWriterAndNobodyWhoComesLater) {
  scripts_.Add(&one_);
  EXPECT_FALSE(scripts_.AnyBusy());
  EXPECT_FALSE(scripts_.AnyWrote());
  BeBusy(one_);
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
    BeBusy(script);
    scripts_.Add(&script);
    bool wrote = false;
    std::thread runner([&] { wrote = script.BeginToWrite(); });
    const Result result = scripts_.Kill(Kind::kScript);
    runner.join();
    scripts_.Remove(&script);
    EXPECT_EQ(result, wrote ? Result::kWrote : Result::kKilled);
    EXPECT_NE(script.must_end(), wrote);
  }
}

}  // namespace
}  // namespace cloakroom
