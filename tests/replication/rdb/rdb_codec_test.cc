#include "replication/rdb/rdb_codec.h"

#include <gtest/gtest.h>

#include <set>

namespace cloakroom {
namespace {

TEST(RdbCodecTest, EveryTypeHasItsRow) {
  for (size_t i = 0; i < kValueTypes; ++i) {
    const RdbCodec& codec = RdbCodecOf(static_cast<ValueType>(i));
    EXPECT_EQ(static_cast<size_t>(codec.type), i);
    EXPECT_NE(codec.encode, nullptr);
    EXPECT_FALSE(codec.layouts.empty());
  }
}

TEST(RdbCodecTest, NoNumberIsClaimedTwiceInADialect) {
  for (const rdb::Dialect dialect : {rdb::Dialect::kRedis, rdb::Dialect::kValkey}) {
    std::set<uint8_t> claimed;
    for (size_t i = 0; i < kValueTypes; ++i) {
      for (const RdbLayout& layout : RdbCodecOf(static_cast<ValueType>(i)).layouts) {
        if (layout.only.value_or(dialect) != dialect) continue;
        EXPECT_TRUE(rdb::IsType(layout.type));
        EXPECT_TRUE(claimed.insert(layout.type).second) << int{layout.type};
        EXPECT_EQ(FindRdbLayout(layout.type, dialect).layout, &layout);
      }
    }
  }
}

TEST(RdbCodecTest, OneNumberMayMeanTwoThings) {
  const FoundRdbLayout redis = FindRdbLayout(rdb::kHashMetadataOld, rdb::Dialect::kRedis);
  const FoundRdbLayout valkey = FindRdbLayout(rdb::kValkeyHash2, rdb::Dialect::kValkey);
  EXPECT_EQ(rdb::kHashMetadataOld, rdb::kValkeyHash2);
  EXPECT_EQ(redis.codec, &kHashCodec);
  EXPECT_EQ(valkey.codec, &kHashCodec);
  EXPECT_NE(redis.layout->decode, valkey.layout->decode);
}

TEST(RdbCodecTest, WhatWeDoNotHaveIsNotFound) {
  EXPECT_EQ(FindRdbLayout(rdb::kModule, rdb::Dialect::kRedis).codec, nullptr);
  EXPECT_EQ(FindRdbLayout(rdb::kHashMetadata, rdb::Dialect::kValkey).layout, nullptr);
  EXPECT_EQ(FindRdbLayout(0xff, rdb::Dialect::kRedis).layout, nullptr);
}

}  // namespace
}  // namespace cloakroom
