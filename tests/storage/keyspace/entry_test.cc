#include "storage/keyspace/entry.h"

#include <string>

#include "gtest/gtest.h"
#include "storage/base/unaligned.h"
#include "storage/values/hash.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

class EntryTest : public testing::Test {
 protected:
  ~EntryTest() override {
    if (entry_ != nullptr) Entry::Destroy(entry_);
  }
  void Make(std::string_view key, int64_t expire_at_ms, std::string_view payload) {
    entry_ = Entry::Create(key, expire_at_ms, ValueType::kSet, Encoding::kIntSet, payload.size());
    std::copy(payload.begin(), payload.end(), entry_->mutable_payload());
  }
  void Expect(std::string_view key, int64_t expire_at_ms, std::string_view payload) {
    EXPECT_EQ(entry_->key(), key);
    EXPECT_EQ(entry_->expire_at_ms(), expire_at_ms);
    EXPECT_EQ(entry_->payload(), payload);
    EXPECT_EQ(entry_->type(), ValueType::kSet);
    EXPECT_EQ(entry_->encoding(), Encoding::kIntSet);
  }

  Entry* entry_ = nullptr;
};

TEST_F(EntryTest, HoldsWhatItWasMadeOf) {
  Make("key", kNoExpiry, "payload");
  Expect("key", kNoExpiry, "payload");
  EXPECT_FALSE(entry_->has_expiry());
  EXPECT_FALSE(entry_->outgrown());
  EXPECT_FALSE(entry_->has_field_expiry());
  EXPECT_GE(entry_->allocated_bytes(), 12u + 3 + 7);
}

TEST_F(EntryTest, EmptyKeysAndPayloadsAreFine) {
  Make("", 7, "");
  Expect("", 7, "");
}

TEST_F(EntryTest, KeysOfAnyLengthAreFine) {
  for (size_t size : {65'534u, 65'535u, 65'536u, 200'000u}) {
    std::string key(size, 'k');
    Make(key, 7, "payload");
    Expect(key, 7, "payload");
    entry_ = Entry::WithExpiry(entry_, kNoExpiry);
    Expect(key, kNoExpiry, "payload");
    entry_ = Entry::WithExpiry(entry_, 9);
    Expect(key, 9, "payload");
    Entry::Destroy(entry_);
    entry_ = nullptr;
  }
}

TEST_F(EntryTest, ExpiresAtItsTimeAndNotBefore) {
  Make("key", 1'000, "");
  EXPECT_FALSE(entry_->expired(999));
  EXPECT_TRUE(entry_->expired(1'000));
  entry_ = Entry::WithExpiry(entry_, kNoExpiry);
  EXPECT_FALSE(entry_->expired(INT64_MAX));
}

TEST_F(EntryTest, ExpiryComesAndGoesWithoutTouchingTheRest) {
  Make("key", kNoExpiry, "payload");
  for (int64_t at : {int64_t{5}, int64_t{6}, kNoExpiry, INT64_MAX, kNoExpiry}) {
    entry_ = Entry::WithExpiry(entry_, at);
    Expect("key", at, "payload");
  }
}

TEST_F(EntryTest, FlagsAndAccessAreIndependent) {
  Make("key", 5, "payload");
  entry_->set_access(0xabcdef);
  entry_->set_outgrown(true);
  Expect("key", 5, "payload");
  EXPECT_EQ(entry_->access(), 0xabcdefu);
  entry_->set_outgrown(false);
  EXPECT_TRUE(entry_->has_expiry());
  EXPECT_FALSE(entry_->outgrown());
}

TEST_F(EntryTest, IsDueWhenItOrItsFirstFieldExpires) {
  FakeSlot slot;
  MutableHash hash(slot, {});
  hash.Set("f", "v", 0);
  const auto make = [&](int64_t expire_at_ms) {
    if (entry_ != nullptr) Entry::Destroy(entry_);
    entry_ = Entry::Create("key", expire_at_ms, slot.type(), slot.encoding(), slot.size());
    StoreBytes(entry_->mutable_payload(), slot.bytes());
    return entry_->UpdateDue();
  };
  EXPECT_EQ(make(kNoExpiry), kNever);
  EXPECT_EQ(make(500), 500);
  EXPECT_FALSE(entry_->has_field_expiry());
  hash.SetFieldExpiry("f", 300, 0);
  EXPECT_EQ(make(500), 300);
  EXPECT_EQ(make(200), 200);
  EXPECT_EQ(make(kNoExpiry), 300);
  EXPECT_TRUE(entry_->has_field_expiry());
  EXPECT_EQ(entry_->NextDue(), 300);
}

TEST_F(EntryTest, SplicesAnywhereInItsPayload) {
  Make("key", 5, "0123456789");
  entry_ = Entry::WithPayloadSpliced(entry_, 2, 3, 0);
  Expect("key", 5, "0156789");
  entry_ = Entry::WithPayloadSpliced(entry_, 7, 0, 2);
  entry_->mutable_payload()[7] = 'a';
  entry_->mutable_payload()[8] = 'b';
  Expect("key", 5, "0156789ab");
  entry_ = Entry::WithPayloadSpliced(entry_, 0, 9, 1);
  entry_->mutable_payload()[0] = 'x';
  Expect("key", 5, "x");
  entry_ = Entry::WithPayloadSpliced(entry_, 0, 1, 0);
  Expect("key", 5, "");
}

TEST_F(EntryTest, GrowsAndGivesMemoryBack) {
  Make("key", kNoExpiry, "x");
  entry_ = Entry::WithPayloadSpliced(entry_, 1, 0, 100'000);
  EXPECT_EQ(entry_->payload().size(), 100'001u);
  EXPECT_EQ(entry_->payload()[0], 'x');
  entry_ = Entry::WithPayloadSpliced(entry_, 1, 100'000, 0);
  Expect("key", kNoExpiry, "x");
  EXPECT_LT(entry_->allocated_bytes(), 1'000u);
}

}  // namespace
}  // namespace cloakroom
