#include "storage/values/type_ops.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"
#include "tests/storage/support/fake_slot.h"
#include "tests/storage/support/value_text.h"

namespace cloakroom {
namespace {

TEST(TypeOpsTest, EveryTypeHasItsRow) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kValueTypes; ++i) {
    const TypeOps& ops = OpsOf(static_cast<ValueType>(i));
    EXPECT_EQ(static_cast<size_t>(ops.type), i);
    EXPECT_TRUE(names.insert(ops.name).second) << ops.name;
    EXPECT_NE(ops.release, nullptr);
    EXPECT_NE(ops.release_cost, nullptr);
    EXPECT_NE(ops.share, nullptr);
    EXPECT_NE(ops.memory, nullptr);
    EXPECT_NE(ops.encoding_name, nullptr);
    EXPECT_NE(ops.size, nullptr);
    EXPECT_NE(ops.for_each, nullptr);
    // A type whose items expire can find them, erase them, and report it.
    EXPECT_EQ(ops.next_expiry == nullptr, ops.erase_expired == nullptr) << ops.name;
    EXPECT_EQ(ops.next_expiry == nullptr, ops.expired_event.empty()) << ops.name;
  }
}

TEST(TypeOpsTest, StringsAreIntEmbstrOrRaw) {
  const auto name = [](Encoding encoding, bool outgrown, const std::string& payload) {
    return EncodingName({ValueType::kString, encoding, outgrown, payload});
  };
  EXPECT_EQ(name(Encoding::kInt, false, "12345678"), "int");
  EXPECT_EQ(name(Encoding::kBytes, false, std::string(44, 'x')), "embstr");
  EXPECT_EQ(name(Encoding::kBytes, false, std::string(45, 'x')), "raw");
  EXPECT_EQ(name(Encoding::kBytes, true, "abc"), "raw");
  FakeSlot slot;
  MutableString(slot).Assign(std::string(3000, 'x'));
  EXPECT_EQ(EncodingName(slot.view()), "raw");
}

TEST(TypeOpsTest, CollectionsAreListpackUntilOutgrown) {
  for (const ValueType type : {ValueType::kHash, ValueType::kSet}) {
    EXPECT_EQ(EncodingName({type, Encoding::kPacked, false, {}}), "listpack");
    EXPECT_EQ(EncodingName({type, Encoding::kPacked, true, {}}), "hashtable");
    EXPECT_EQ(EncodingName({type, Encoding::kTrie, false, {}}), "hashtable");
  }
  EXPECT_EQ(EncodingName({ValueType::kSet, Encoding::kIntSet, false, {}}), "intset");
  EXPECT_EQ(EncodingName({ValueType::kZset, Encoding::kPacked, false, {}}), "listpack");
  EXPECT_EQ(EncodingName({ValueType::kZset, Encoding::kPacked, true, {}}), "skiplist");
  EXPECT_EQ(EncodingName({ValueType::kZset, Encoding::kBTree, false, {}}), "skiplist");
}

TEST(TypeOpsTest, EveryTypeTellsItsItemsAndTheirNumber) {
  FakeSlot string;
  MutableString(string).Assign("12");
  EXPECT_EQ(TextOf(string.view()), "12");
  EXPECT_EQ(OpsOf(ValueType::kString).size(string.view(), 0), 1u);

  FakeSlot set;
  const EncodingLimits limits;
  MutableSet members(set, limits);
  members.Add("7");
  members.Add("word");
  EXPECT_EQ(TextOf(set.view()), "7 word");
  EXPECT_EQ(OpsOf(ValueType::kSet).size(set.view(), 0), 2u);

  FakeSlot hash;
  MutableHash fields(hash, {});
  fields.Set("a", "1", 0);
  fields.Set("b", "2", 0);
  fields.SetFieldExpiry("b", 500, 0);
  EXPECT_EQ(TextOf(hash.view()), "a=1 b=2@500");
  EXPECT_EQ(TextOf(hash.view(), 500), "a=1");
  EXPECT_EQ(OpsOf(ValueType::kHash).size(hash.view(), 500), 1u);
}

TEST(TypeOpsTest, AValueIsGoneWhenItsLastItemExpires) {
  FakeSlot slot;
  MutableHash hash(slot, {});
  hash.Set("a", "1", 0);
  EXPECT_FALSE(AllItemsExpired(slot.view(), INT64_MAX - 1));
  hash.SetFieldExpiry("a", 500, 0);
  EXPECT_FALSE(AllItemsExpired(slot.view(), 499));
  EXPECT_TRUE(AllItemsExpired(slot.view(), 500));
  hash.Set("b", "2", 0);
  EXPECT_FALSE(AllItemsExpired(slot.view(), 500));
  FakeSlot string;
  MutableString(string).Assign("");
  EXPECT_FALSE(AllItemsExpired(string.view(), 500));
}

TEST(TypeOpsTest, ItemsThatHaveExpiredAreErased) {
  FakeSlot slot;
  MutableHash hash(slot, {});
  for (const char* field : {"a", "b", "c"}) {
    hash.Set(field, "v", 0);
    hash.SetFieldExpiry(field, 500, 0);
  }
  const TypeOps& ops = OpsOf(ValueType::kHash);
  EXPECT_EQ(ops.next_expiry(slot.view()), 500);
  EXPECT_EQ(ops.erase_expired(slot, {}, 499, 10), 0u);
  EXPECT_EQ(ops.erase_expired(slot, {}, 500, 2), 2u);
  EXPECT_EQ(ops.erase_expired(slot, {}, 500, 2), 1u);
  EXPECT_FALSE(slot.exists());
}

TEST(TypeOpsTest, CopyOfATrieSharesItUntilOneChanges) {
  const EncodingLimits limits;
  FakeSlot original;
  MutableSet set(original, limits);
  for (int i = 0; i < 5000; ++i) set.Add("m" + std::to_string(i));
  EXPECT_GT(ReleaseCost(original.view()), 100u);

  FakeSlot copy;
  const std::string payload = CopyPayload(original.view());
  copy.Create(ValueType::kSet, original.encoding());
  payload.copy(copy.Splice(0, 0, payload.size()), payload.size());
  EXPECT_EQ(ReleaseCost(copy.view()), 1u);

  MutableSet(copy, limits).Add("only in the copy");
  set.Remove("m7");
  EXPECT_EQ(set.view().size(), 4999u);
  EXPECT_FALSE(set.view().Contains("only in the copy"));
  EXPECT_EQ(MutableSet(copy, limits).view().size(), 5001u);
  EXPECT_TRUE(MutableSet(copy, limits).view().Contains("m7"));
}

TEST(TypeOpsTest, MemoryCountsWhatLiesOutsideTheEntry) {
  const EncodingLimits limits;
  FakeSlot slot;
  MutableHash hash(slot, limits);
  hash.Set("a", "b", 0);
  EXPECT_EQ(ValueMemory(slot.view()), 0u);
  hash.Set("data", std::string(2000, 'd'), 0);
  const size_t memory = ValueMemory(slot.view());
  EXPECT_GE(memory, 2008u);
  EXPECT_LE(memory, 2100u);
  EXPECT_EQ(ReleaseCost(slot.view()), 1u);
}

}  // namespace
}  // namespace cloakroom
