#include "replication/rdb/dump_payload.h"

#include <gtest/gtest.h>

#include <string>

#include "replication/rdb/rdb_decoder.h"
#include "storage/values/hash.h"
#include "storage/values/memory_slot.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"
#include "tests/replication/support/rdb_bytes.h"
#include "tests/storage/support/value_text.h"

namespace cloakroom {
namespace {

using namespace std::string_literals;

class DumpPayloadTest : public testing::Test {
 protected:
  /// What is in a payload, or "wrong".
  static std::string Content(std::string_view payload) {
    const absl::StatusOr<DumpPayload> read = ReadDumpPayload(payload);
    if (absl::IsDataLoss(read.status())) return "wrong";
    RdbDecoder decoder{EncodingLimits{}};
    const absl::Status status = decoder.Decode(read->type, read->dialect, read->value);
    return status.ok() ? SortedTextOf(decoder.value().view()) : std::string(status.message());
  }
  static std::string WithFooter(std::string_view content, uint16_t version) {
    const std::string summed = std::string(content) + Bytes(version);
    return summed + Bytes(Crc64(0, summed));
  }

  EncodingLimits limits_;
  MemorySlot slot_;
};

TEST_F(DumpPayloadTest, AStringIsWrittenAsRedisWritesIt) {
  MutableString(slot_).Assign("b");
  EXPECT_EQ(DumpValue(slot_.view(), {}),
            "\x00\x01"
            "b\n\x00\x16$\xb8\x91\xa6\xe3\x12\x83"s);
}

TEST_F(DumpPayloadTest, WhatIsWrittenCanBeRead) {
  MutableSet set(slot_, limits_);
  for (int i = 0; i < 1000; ++i) set.Add("member:" + std::to_string(i));
  EXPECT_EQ(Content(DumpValue(slot_.view(), {})), SortedTextOf(slot_.view()));
}

TEST_F(DumpPayloadTest, TheVersionIsTheWishedOneIfItHoldsTheValue) {
  MutableHash hash(slot_, limits_);
  hash.Set("f", "v", 0);
  EXPECT_EQ(ReadDumpPayload(DumpValue(slot_.view(), {}))->version, 10);
  EXPECT_EQ(ReadDumpPayload(DumpValue(slot_.view(), {.version = 9}))->version, 9);
  hash.SetFieldExpiry("f", 5000, 0);
  const std::string payload = DumpValue(slot_.view(), {.version = 9});
  EXPECT_EQ(ReadDumpPayload(payload)->version, 12);
  EXPECT_EQ(Content(payload), "f=v@5000");
}

TEST_F(DumpPayloadTest, OfAHashWithoutLiveFieldsThereIsNone) {
  MutableHash hash(slot_, limits_);
  hash.Set("f", "v", 0);
  hash.SetFieldExpiry("f", 5000, 0);
  EXPECT_EQ(DumpValue(slot_.view(), {.now_ms = 5000}), "");
}

TEST_F(DumpPayloadTest, EveryVersionUpToTheNewestIsRead) {
  const std::string content = "\x00"s + Short("text");
  for (const uint16_t version : {0, 1, 5, 9, 10, 11, 12}) {
    EXPECT_EQ(Content(WithFooter(content, version)), "text") << version;
  }
  EXPECT_EQ(Content(WithFooter(content, 13)), "wrong");
  EXPECT_EQ(Content(WithFooter(content, 79)), "wrong");
  EXPECT_EQ(Content(WithFooter(content, 80)), "text");
  EXPECT_EQ(Content(WithFooter(content, 81)), "wrong");
}

TEST_F(DumpPayloadTest, ValkeysPayloadsHaveValkeysTypes) {
  const std::string content = "\x16\x01" + Short("a") + Short("1") + Bytes(int64_t{100});
  EXPECT_EQ(Content(WithFooter(content, 80)), "a=1@100");
  EXPECT_NE(Content(WithFooter(content, 12)), "a=1@100");
}

TEST_F(DumpPayloadTest, AWrongByteIsNoticed) {
  MutableString(slot_).Assign("some text");
  const std::string payload = DumpValue(slot_.view(), {});
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string wrong = payload;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_TRUE(absl::IsDataLoss(ReadDumpPayload(wrong).status())) << i;
    EXPECT_TRUE(absl::IsDataLoss(ReadDumpPayload(payload.substr(0, i)).status())) << i;
  }
}

TEST_F(DumpPayloadTest, AFooterAloneHoldsNoValue) {
  EXPECT_NE(Content(WithFooter("", 10)), "wrong");
  EXPECT_EQ(ReadDumpPayload(WithFooter("", 10))->value, "");
}

}  // namespace
}  // namespace cloakroom
