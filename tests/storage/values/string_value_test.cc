#include "storage/values/string_value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "storage/values/encoding_limits.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

class StringValueTest : public ::testing::Test {
 protected:
  std::string Text() { return std::string(string_.view().bytes()); }
  std::string_view Name() { return EncodingName(slot_.view()); }

  FakeSlot slot_;
  MutableString string_{slot_};
};

TEST_F(StringValueTest, AbsentIsEmptyAndNoInteger) {
  EXPECT_EQ(StringView().bytes(), "");
  EXPECT_EQ(StringView().integer(), std::nullopt);
  EXPECT_EQ(StringView().blob(), nullptr);
  EXPECT_EQ(Text(), "");
  EXPECT_FALSE(slot_.exists());
}

TEST_F(StringValueTest, AssignChoosesTheEncoding) {
  string_.Assign("-42");
  EXPECT_EQ(slot_.encoding(), Encoding::kInt);
  EXPECT_EQ(string_.view().integer(), -42);
  EXPECT_EQ(Text(), "-42");
  string_.Assign("042");
  EXPECT_EQ(slot_.encoding(), Encoding::kBytes);
  EXPECT_EQ(string_.view().integer(), std::nullopt);
  string_.Assign(std::string(kMaxInlineString, 'x'));
  EXPECT_EQ(slot_.encoding(), Encoding::kBytes);
  string_.Assign(std::string(kMaxInlineString + 1, 'x'));
  EXPECT_EQ(slot_.encoding(), Encoding::kBlob);
  EXPECT_EQ(Text(), std::string(kMaxInlineString + 1, 'x'));
  string_.Assign("");
  EXPECT_TRUE(slot_.exists());
  EXPECT_EQ(Text(), "");
}

TEST_F(StringValueTest, CopiedViewOfAnIntegerHasItsOwnDigits) {
  string_.Assign("123456");
  StringView copy;
  copy = string_.view();
  EXPECT_EQ(copy.bytes(), "123456");
  EXPECT_EQ(copy.size(), 6u);
}

TEST_F(StringValueTest, AssignTextNeverMakesAnInteger) {
  string_.AssignText("42");
  EXPECT_EQ(Name(), "embstr");
  EXPECT_EQ(string_.view().integer(), 42);
}

TEST_F(StringValueTest, AppendMakesRawBytes) {
  string_.Assign("4");
  EXPECT_EQ(string_.Append("2"), 2u);
  EXPECT_EQ(Text(), "42");
  EXPECT_EQ(Name(), "raw");
  EXPECT_EQ(string_.view().integer(), 42);
  string_.Assign("42");
  EXPECT_EQ(Name(), "int");
}

TEST_F(StringValueTest, AssignAfterAppendIsEmbstrAgain) {
  string_.Append("abc");
  EXPECT_EQ(Name(), "raw");
  string_.Assign("abc");
  EXPECT_EQ(Name(), "embstr");
}

TEST_F(StringValueTest, AppendChangesABlobInPlaceWhenAlone) {
  string_.Assign(std::string(1000, 'a'));
  string_.Append(std::string(1000, 'b'));  // allocates ahead
  const Blob* const before = string_.view().blob();
#ifdef CLOAKROOM_JEMALLOC
  string_.Append("c");
  EXPECT_EQ(string_.view().blob(), before);
#endif
  string_.SetRange(0, "z");
  EXPECT_EQ(string_.view().blob(), before);
  EXPECT_EQ(string_.view().bytes().substr(0, 2), "za");
}

TEST_F(StringValueTest, BytesOnTheirWayToASocketDoNotChange) {
  string_.Assign(std::string(1000, 'a'));
  const BlobRef sent = BlobRef::Share(string_.view().blob());
  string_.SetRange(0, "zzz");
  string_.Append("tail");
  EXPECT_EQ(sent->bytes(), std::string(1000, 'a'));
  EXPECT_TRUE(sent->unique());
  EXPECT_EQ(Text(), "zzz" + std::string(997, 'a') + "tail");
}

TEST_F(StringValueTest, SetRangePadsWithZeroBytes) {
  EXPECT_EQ(string_.SetRange(3, "x"), 4u);
  EXPECT_EQ(Text(), std::string("\0\0\0x", 4));
  EXPECT_EQ(string_.SetRange(300, "y"), 301u);
  EXPECT_EQ(Text(), std::string("\0\0\0x", 4) + std::string(296, '\0') + "y");
}

TEST_F(StringValueTest, MakeRoomNeverShrinks) {
  string_.Assign("abc");
  string_.MakeRoom(1)[0] = 'z';
  EXPECT_EQ(Text(), "zbc");
  string_.MakeRoom(5)[4] = 'e';
  EXPECT_EQ(Text(), std::string("zbc\0e", 5));
}

TEST_F(StringValueTest, AssignBlobTakesTheReference) {
  string_.AssignBlob(BlobRef::Adopt(Blob::Create(std::string(500, 'b'))));
  EXPECT_TRUE(string_.view().blob()->unique());
  string_.AssignBlob(BlobRef::Adopt(Blob::Create("small")));
  EXPECT_EQ(slot_.encoding(), Encoding::kBytes);
  EXPECT_EQ(Text(), "small");
}

TEST_F(StringValueTest, BehavesAsAStdString) {
  std::string model;
  std::mt19937 rng(3);
  for (int step = 0; step < 5000; ++step) {
    const std::string bytes(rng() % (rng() % 8 == 0 ? 500 : 30),
                            static_cast<char>('0' + rng() % 40));
    BlobRef held = BlobRef::Share(rng() % 2 == 0 ? string_.view().blob() : nullptr);
    const std::string held_bytes(held ? held->bytes() : "");
    switch (rng() % 4) {
      case 0:
        if (rng() % 4 != 0) break;
        string_.Assign(model = bytes);
        break;
      case 1:
        ASSERT_EQ(string_.Append(bytes), (model += bytes).size());
        break;
      case 2: {
        const size_t offset = rng() % 600;
        model.resize(std::max(model.size(), offset + bytes.size()));
        model.replace(offset, bytes.size(), bytes);
        ASSERT_EQ(string_.SetRange(offset, bytes), model.size());
        break;
      }
      default: {
        const int64_t number = static_cast<int64_t>(rng());
        if (rng() % 4 != 0) break;
        string_.AssignInteger(number);
        model = std::to_string(number);
      }
    }
    ASSERT_EQ(Text(), model);
    if (held) {
      ASSERT_EQ(held->bytes(), held_bytes);
    }
  }
}

}  // namespace
}  // namespace cloakroom
