#include "replication/link/sync_replies.h"

#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

const std::string kId = "0123456789abcdefABCDEF0123456789abcdef01";

TEST(SyncRepliesTest, AnswersToPsyncByTheirFirstWord) {
  EXPECT_EQ(ReadPsyncAnswer("+FULLRESYNC x 1"), PsyncAnswer::kFullSync);
  EXPECT_EQ(ReadPsyncAnswer("+CONTINUE"), PsyncAnswer::kContinue);
  EXPECT_EQ(ReadPsyncAnswer("-NOMASTERLINK Can't SYNC while not connected with my master"),
            PsyncAnswer::kLater);
  EXPECT_EQ(ReadPsyncAnswer("-LOADING Redis is loading the dataset in memory"),
            PsyncAnswer::kLater);
  for (std::string_view other : {"", "+OK", "-ERR unknown command", "FULLRESYNC", "+continue"}) {
    EXPECT_EQ(ReadPsyncAnswer(other), PsyncAnswer::kUnsupported) << other;
  }
}

TEST(SyncRepliesTest, AFullSyncHasAnIdAndAnOffset) {
  const auto point = ReadFullSync("+FULLRESYNC " + kId + " 4611686018427387904");
  ASSERT_TRUE(point);
  EXPECT_EQ(point->id.text(), kId);
  EXPECT_EQ(point->offset, ReplicationHistory::kMaxOffset);
  for (const std::string& rest :
       {std::string(), " " + kId, " " + kId + " ", " " + kId + " -1", " " + kId + " 1x",
        " " + kId + "1 1", " " + kId.substr(1) + " 1", "  " + kId.substr(1) + " 1",
        " " + std::string(40, 'x') + " 1", " " + kId + " 4611686018427387905",
        " " + kId + " 9223372036854775808", "_" + kId + " 1"}) {
    EXPECT_FALSE(ReadFullSync("+FULLRESYNC" + rest)) << rest;
  }
}

TEST(SyncRepliesTest, ContinueMayHaveAnId) {
  EXPECT_EQ(ReadContinue("+CONTINUE " + kId)->text(), kId);
  EXPECT_FALSE(ReadContinue("+CONTINUE"));
  EXPECT_FALSE(ReadContinue("+CONTINUE "));
  EXPECT_FALSE(ReadContinue("+CONTINUE" + kId));
  EXPECT_FALSE(ReadContinue("+CONTINUE " + kId + "0"));
}

TEST(SyncRepliesTest, ATransferHasALengthOrAMark) {
  EXPECT_EQ(ReadSyncSize("$89"), (SyncSize{.length = 89}));
  const auto size = ReadSyncSize("$EOF:" + kId);
  ASSERT_TRUE(size);
  EXPECT_TRUE(size->has_mark);
  EXPECT_EQ(std::string(size->mark.begin(), size->mark.end()), kId);
  EXPECT_EQ(ReadSyncSize("$EOF:" + kId + "more"), size) << "Redis reads 40 bytes";
  for (const std::string& line :
       {std::string(), std::string("$"), std::string("$0"), std::string("$-1"), std::string("$1 "),
        std::string("89"), "$EOF:" + kId.substr(1), std::string("$99999999999999999999")}) {
    EXPECT_FALSE(ReadSyncSize(line)) << line;
  }
}

}  // namespace
}  // namespace cloakroom
