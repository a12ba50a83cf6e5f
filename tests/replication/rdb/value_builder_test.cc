#include "replication/rdb/value_builder.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

TEST(ValueBuilderTest, StringsAreEncodedAsSetWould) {
  ValueBuilder builder({});
  builder.OnString("12");
  EXPECT_EQ(builder.encoding(), Encoding::kInt);
  builder.Clear();
  builder.OnString("abc");
  EXPECT_EQ(builder.encoding(), Encoding::kBytes);
  builder.Clear();
  builder.OnString(std::string(5000, 'x'));
  EXPECT_EQ(builder.encoding(), Encoding::kBlob);
  EXPECT_EQ(StringView(builder.encoding(), builder.payload()).bytes(), std::string(5000, 'x'));
}

TEST(ValueBuilderTest, HashesAreAsCommandsLeaveThem) {
  const EncodingLimits limits;
  for (size_t fields : {1, 5, 128, 129, 1000}) {
    for (size_t value_size : {3, 64, 65, 3000}) {
      ValueBuilder builder(limits);
      FakeSlot slot;
      MutableHash hash(slot, limits);
      for (size_t i = 0; i < fields; ++i) {
        const std::string field = "f" + std::to_string(i);
        const std::string value(value_size, 'v');
        EXPECT_TRUE(builder.OnField(field, value, kNoFieldExpiry));
        hash.Set(field, value, 0);
      }
      EXPECT_EQ(builder.encoding(), slot.encoding()) << fields << " of " << value_size;
      EXPECT_EQ(builder.outgrown(), slot.outgrown());
      const Hash built(builder.encoding(), builder.payload());
      EXPECT_EQ(built.size(0), fields);
      EXPECT_EQ(built.Find("f0", 0)->bytes, std::string(value_size, 'v'));
    }
  }
}

TEST(ValueBuilderTest, DuplicatesAreFoundInAnyEncoding) {
  for (int fields : {1, 100, 500}) {
    ValueBuilder builder({});
    for (int i = 0; i < fields; ++i) {
      ASSERT_TRUE(builder.OnField("field:" + std::to_string(i) + ":end", "v", kNoFieldExpiry));
    }
    EXPECT_FALSE(builder.OnField("field:0:end", "v", kNoFieldExpiry)) << fields;
  }
  ValueBuilder builder({});
  EXPECT_TRUE(builder.OnMember("a"));
  EXPECT_FALSE(builder.OnMember("a"));
}

TEST(ValueBuilderTest, FieldsKeepTheirExpiry) {
  ValueBuilder builder({});
  builder.OnField("a", "1", 500);
  builder.OnField("b", "2", kNoFieldExpiry);
  const Hash hash(builder.encoding(), builder.payload());
  EXPECT_EQ(hash.NextExpiry(), 500);
  EXPECT_EQ(hash.FieldExpiry("b", 0), kNoFieldExpiry);
}

TEST(ValueBuilderTest, SetsOfIntegersStayThat) {
  ValueBuilder builder({});
  for (int i = 0; i < 100; ++i) builder.OnMember(std::to_string(i));
  EXPECT_EQ(builder.encoding(), Encoding::kIntSet);
  builder.OnMember("x");
  EXPECT_EQ(builder.encoding(), Encoding::kPacked);
  EXPECT_EQ(Set(builder.encoding(), builder.payload()).size(), 101u);
}

TEST(ValueBuilderTest, OneValueLeavesNothingToTheNext) {
  ValueBuilder builder({});
  builder.OnField("a", std::string(2000, 'x'), kNoFieldExpiry);
  builder.Clear();
  EXPECT_FALSE(builder.exists());
  builder.OnField("a", "1", kNoFieldExpiry);
  EXPECT_FALSE(builder.outgrown());
  EXPECT_EQ(Hash(builder.encoding(), builder.payload()).size(0), 1u);
}

}  // namespace
}  // namespace cloakroom
