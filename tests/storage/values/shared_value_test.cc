#include "storage/values/shared_value.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

SharedValue Share(FakeSlot& slot) { return SharedValue(slot.view()); }

TEST(SharedValueTest, StringOutlivesItsSlot) {
  SharedValue shared = [] {
    FakeSlot slot;
    MutableString(slot).Assign(std::string(5000, 's'));
    return Share(slot);
  }();
  EXPECT_EQ(StringView(shared.view()).bytes(), std::string(5000, 's'));
}

TEST(SharedValueTest, CopiesAndMovesHoldExactReferences) {
  FakeSlot slot;
  MutableString string(slot);
  string.Assign(std::string(5000, 's'));
  const Blob* const blob = string.view().blob();
  {
    SharedValue first = Share(slot);
    SharedValue second = first;
    SharedValue third = std::move(first);
    second = third;
    EXPECT_FALSE(blob->unique());
  }
  EXPECT_TRUE(blob->unique());
}

TEST(SharedValueTest, HashStaysAsItWasPackedOrTrie) {
  for (const int fields : {5, 500}) {
    const EncodingLimits limits;
    FakeSlot slot;
    MutableHash hash(slot, limits);
    for (int i = 0; i < fields; ++i) hash.Set(std::to_string(i), std::string(1100, 'v'), 0);
    const SharedValue shared = hash.view().Share();
    for (int i = 0; i < fields; ++i) hash.Set(std::to_string(i), "changed", 0);
    hash.Erase("0", 0);
    const Hash old(shared.view());
    EXPECT_EQ(old.size(0), static_cast<size_t>(fields));
    EXPECT_EQ(old.Find("0", 0)->bytes, std::string(1100, 'v'));
    EXPECT_FALSE(hash.view().Find("0", 0));
  }
}

}  // namespace
}  // namespace cloakroom
