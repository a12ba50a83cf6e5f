#include "replication/stream/command_stream.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

class CommandStreamTest : public ::testing::Test {
 protected:
  /// The stream's bytes with spaces for line ends.
  std::string Encode(const ChangeBatch& batch) {
    std::string bytes;
    stream_.Encode(batch, &bytes);
    std::string text;
    for (char c : bytes) {
      if (c != '\n') text += c == '\r' ? ' ' : c;
    }
    return text;
  }

  CommandStream stream_;
};

TEST_F(CommandStreamTest, SaysItsDatabaseOnceAndWhenItChanges) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kCommand, {"DEL", "a"});
  EXPECT_EQ(Encode(batch), "*2 $6 SELECT $1 0 *2 $3 DEL $1 a ");
  EXPECT_EQ(Encode(batch), "*2 $3 DEL $1 a ");
  ChangeBatch other;
  other.Add(12, ChangeKind::kCommand, {"DEL", "b"});
  EXPECT_EQ(Encode(other), "*2 $6 SELECT $2 12 *2 $3 DEL $1 b ");
  stream_.Restart();
  EXPECT_EQ(Encode(other), "*2 $6 SELECT $2 12 *2 $3 DEL $1 b ");
}

TEST_F(CommandStreamTest, ABatchOfSeveralIsATransaction) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kCommand, {"SET", "a", "1"});
  batch.Add(1, ChangeKind::kCommand, {"DEL", "b"});
  EXPECT_EQ(Encode(batch),
            "*2 $6 SELECT $1 0 *1 $5 MULTI *3 $3 SET $1 a $1 1 *2 $6 SELECT $1 1 *2 $3 DEL $1 b "
            "*1 $4 EXEC ");
}

TEST_F(CommandStreamTest, AChangeOfSeveralCommandsIsATransaction) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kSetRawString, {"a", "x"}, 17);
  EXPECT_EQ(Encode(batch),
            "*2 $6 SELECT $1 0 *1 $5 MULTI *2 $3 DEL $1 a *4 $8 SETRANGE $1 a $1 0 $1 x "
            "*3 $9 PEXPIREAT $1 a $2 17 *1 $4 EXEC ");
}

TEST_F(CommandStreamTest, InPiecesItIsTheSameBehindItsLead) {
  ChangeBatch batch;
  for (int i = 0; i < 100; i++)
    batch.Add(i / 40, ChangeKind::kCommand, {"SET", std::to_string(i), "value"});
  std::string apart;
  CommandStream other;
  for (int turn = 0; turn < 2; turn++) {
    const EncodedChanges changes = EncodeChanges(batch, 64);
    EXPECT_GT(changes.pieces.size(), 20U);
    other.Lead(changes, &apart);
    for (const std::string& piece : changes.pieces) apart += piece;
  }
  std::string at_once;
  stream_.Encode(batch, &at_once);
  stream_.Encode(batch, &at_once);
  EXPECT_EQ(apart, at_once);
}

}  // namespace
}  // namespace cloakroom
