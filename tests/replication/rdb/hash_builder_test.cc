#include "replication/rdb/hash_builder.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/values/hash.h"
#include "storage/values/memory_slot.h"

namespace cloakroom {
namespace {

const EncodingLimits kLimits;

TEST(HashBuilderTest, HashesAreAsCommandsLeaveThem) {
  for (size_t fields : {1, 5, 128, 129, 1000}) {
    for (size_t value_size : {3, 64, 65, 3000}) {
      MemorySlot built;
      HashBuilder builder(built, kLimits);
      MemorySlot slot;
      MutableHash hash(slot, kLimits);
      for (size_t i = 0; i < fields; ++i) {
        const std::string field = "f" + std::to_string(i);
        const std::string value(value_size, 'v');
        EXPECT_TRUE(builder.Add(field, value, kNever));
        hash.Set(field, value, 0);
      }
      EXPECT_EQ(built.encoding(), slot.encoding()) << fields << " of " << value_size;
      EXPECT_EQ(built.outgrown(), slot.outgrown());
      EXPECT_EQ(Hash(built.view()).size(0), fields);
      EXPECT_EQ(Hash(built.view()).Find("f0", 0)->bytes, std::string(value_size, 'v'));
    }
  }
}

TEST(HashBuilderTest, DuplicatesAreFoundInAnyEncoding) {
  for (int fields : {1, 100, 500}) {
    MemorySlot slot;
    HashBuilder builder(slot, kLimits);
    for (int i = 0; i < fields; ++i) {
      ASSERT_TRUE(builder.Add("field:" + std::to_string(i) + ":end", "v", kNever));
    }
    EXPECT_FALSE(builder.Add("field:0:end", "v", kNever)) << fields;
  }
}

TEST(HashBuilderTest, FieldsKeepTheirExpiry) {
  MemorySlot slot;
  HashBuilder builder(slot, kLimits);
  builder.Add("a", "1", 500);
  builder.Add("b", "2", kNever);
  const Hash hash(slot.view());
  EXPECT_EQ(hash.NextExpiry(), 500);
  EXPECT_EQ(hash.FieldExpiry("b", 0), kNever);
}

TEST(HashBuilderTest, OneHashLeavesNothingToTheNextInItsSlot) {
  MemorySlot slot;
  HashBuilder(slot, kLimits).Add("a", std::string(2000, 'x'), kNever);
  EXPECT_TRUE(slot.outgrown());
  slot.Clear();
  HashBuilder(slot, kLimits).Add("a", "1", kNever);
  EXPECT_FALSE(slot.outgrown());
  EXPECT_EQ(Hash(slot.view()).size(0), 1u);
}

}  // namespace
}  // namespace cloakroom
