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

SharedValue Share(FakeSlot& slot) {
  return SharedValue(slot.type(), slot.encoding(), slot.bytes());
}

TEST(SharedValueTest, StringOutlivesItsSlot) {
  SharedValue shared = [] {
    FakeSlot slot;
    MutableString(slot).Assign(std::string(5000, 's'));
    return Share(slot);
  }();
  EXPECT_EQ(StringView(shared.encoding(), shared.payload()).bytes(), std::string(5000, 's'));
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
    const Hash old(shared.encoding(), shared.payload());
    EXPECT_EQ(old.size(0), static_cast<size_t>(fields));
    EXPECT_EQ(old.Find("0", 0)->bytes, std::string(1100, 'v'));
    EXPECT_FALSE(hash.view().Find("0", 0));
  }
}

TEST(SharedValueTest, CopyOfATrieSharesItUntilOneChanges) {
  const EncodingLimits limits;
  FakeSlot original;
  MutableSet set(original, limits);
  for (int i = 0; i < 5000; ++i) set.Add("m" + std::to_string(i));
  EXPECT_GT(ReleaseCost(ValueType::kSet, original.encoding(), original.bytes()), 100u);

  FakeSlot copy;
  const std::string payload = CopyPayload(ValueType::kSet, original.encoding(), original.bytes());
  copy.Create(ValueType::kSet, original.encoding());
  payload.copy(copy.Splice(0, 0, payload.size()), payload.size());
  EXPECT_EQ(ReleaseCost(ValueType::kSet, copy.encoding(), copy.bytes()), 1u);

  MutableSet(copy, limits).Add("only in the copy");
  set.Remove("m7");
  EXPECT_EQ(set.view().size(), 4999u);
  EXPECT_FALSE(set.view().Contains("only in the copy"));
  EXPECT_EQ(MutableSet(copy, limits).view().size(), 5001u);
  EXPECT_TRUE(MutableSet(copy, limits).view().Contains("m7"));
}

TEST(SharedValueTest, MemoryCountsWhatLiesOutsideTheEntry) {
  const EncodingLimits limits;
  FakeSlot slot;
  MutableHash hash(slot, limits);
  hash.Set("a", "b", 0);
  EXPECT_EQ(ValueMemory(slot.type(), slot.encoding(), slot.bytes()), 0u);
  hash.Set("data", std::string(2000, 'd'), 0);
  const size_t memory = ValueMemory(slot.type(), slot.encoding(), slot.bytes());
  EXPECT_GE(memory, 2008u);
  EXPECT_LE(memory, 2100u);
  EXPECT_EQ(ReleaseCost(slot.type(), slot.encoding(), slot.bytes()), 1u);
}

}  // namespace
}  // namespace cloakroom
