#include "storage/values/encoding.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

TEST(EncodingTest, StringsAreIntEmbstrOrRaw) {
  EXPECT_EQ(EncodingName(ValueType::kString, Encoding::kInt, false, 3), "int");
  EXPECT_EQ(EncodingName(ValueType::kString, Encoding::kBytes, false, 44), "embstr");
  EXPECT_EQ(EncodingName(ValueType::kString, Encoding::kBytes, false, 45), "raw");
  EXPECT_EQ(EncodingName(ValueType::kString, Encoding::kBytes, true, 3), "raw");
  EXPECT_EQ(EncodingName(ValueType::kString, Encoding::kBlob, false, 3000), "raw");
}

TEST(EncodingTest, CollectionsAreListpackUntilOutgrown) {
  for (const ValueType type : {ValueType::kHash, ValueType::kSet}) {
    EXPECT_EQ(EncodingName(type, Encoding::kPacked, false, 0), "listpack");
    EXPECT_EQ(EncodingName(type, Encoding::kPacked, true, 0), "hashtable");
    EXPECT_EQ(EncodingName(type, Encoding::kTrie, false, 0), "hashtable");
  }
  EXPECT_EQ(EncodingName(ValueType::kSet, Encoding::kIntSet, false, 0), "intset");
}

}  // namespace
}  // namespace cloakroom
