#include "replication/stream/change_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "replication/stream/stream_chunks.h"

namespace cloakroom {
namespace {

/// The batch's bytes with spaces for line ends.
std::string Encoded(const ChangeBatch& batch, int64_t position = 0,
                    OldestReader oldest = OldestReader::kRedis7) {
  StreamChunks chunks;
  StreamWriter writer(chunks, position);
  EncodeChanges(batch, oldest, writer);
  EXPECT_EQ(writer.position() - position, static_cast<int64_t>(EncodedSize(batch, oldest)));
  std::string text;
  for (int64_t at = position; at < writer.position();) {
    const std::string_view piece = chunks.Read(at, writer.position());
    for (const char c : piece) {
      if (c != '\n') text += c == '\r' ? ' ' : c;
    }
    at += static_cast<int64_t>(piece.size());
  }
  return text;
}

TEST(ChangeEncoderTest, AChangeAloneIsItsCommand) {
  ChangeBatch batch;
  batch.Add(7, ChangeKind::kSetString, {"a", "x"}, 1234);
  EXPECT_EQ(Encoded(batch), "*5 $3 SET $1 a $1 x $4 PXAT $4 1234 ");
}

TEST(ChangeEncoderTest, InOldWordsAStringThatExpiresIsATransaction) {
  ChangeBatch batch;
  batch.Add(7, ChangeKind::kSetString, {"a", "x"}, 1234);
  EXPECT_EQ(Encoded(batch, 0, OldestReader::kRedis5),
            "*1 $5 MULTI *3 $3 SET $1 a $1 x *3 $9 PEXPIREAT $1 a $4 1234 *1 $4 EXEC ");
}

TEST(ChangeEncoderTest, WhatOldWordsCannotSayIsNothing) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kCreateConsumer, {"x", "g", "alice"});
  EXPECT_EQ(Encoded(batch, 0, OldestReader::kRedis5), "");
}

TEST(ChangeEncoderTest, ABatchOfSeveralIsATransaction) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kCommand, {"SET", "a", "1"});
  batch.Add(12, ChangeKind::kCommand, {"DEL", "b"});
  EXPECT_EQ(Encoded(batch),
            "*1 $5 MULTI *3 $3 SET $1 a $1 1 *2 $6 SELECT $2 12 *2 $3 DEL $1 b *1 $4 EXEC ");
}

TEST(ChangeEncoderTest, AChangeOfSeveralCommandsIsATransaction) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kSetRawString, {"a", "x"}, 17);
  EXPECT_EQ(Encoded(batch),
            "*1 $5 MULTI *2 $3 DEL $1 a *4 $8 SETRANGE $1 a $1 0 $1 x "
            "*3 $9 PEXPIREAT $1 a $2 17 *1 $4 EXEC ");
}

TEST(ChangeEncoderTest, WhereverAChunkEndsTheBytesAreTheSame) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kSetString, {"key", std::string(100, 'v')}, 17);
  const std::string expected = Encoded(batch);
  const auto chunk = static_cast<int64_t>(StreamChunks::kChunkBytes);
  for (int64_t before = 0; before < 200; ++before) {
    ASSERT_EQ(Encoded(batch, chunk - before), expected) << before;
  }
}

TEST(ChangeEncoderTest, AValueMayBeLargerThanAChunk) {
  ChangeBatch batch;
  const std::string value(3 * StreamChunks::kChunkBytes + 17, 'v');
  batch.Add(0, ChangeKind::kCommand, {"SET", "k", value});
  EXPECT_EQ(Encoded(batch, 5), "*3 $3 SET $1 k $196625 " + value + " ");
}

}  // namespace
}  // namespace cloakroom
