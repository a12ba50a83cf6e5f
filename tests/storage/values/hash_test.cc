#include "storage/values/hash.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "storage/values/packed.h"
#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

constexpr int64_t kNow = 1'000'000;

class HashTest : public ::testing::Test {
 protected:
  Hash View() { return hash_.view(); }
  std::string Get(std::string_view field, int64_t now_ms = kNow) {
    const auto value = View().Find(field, now_ms);
    return value ? std::string(value->bytes) : "(nil)";
  }
  std::string_view Name() { return EncodingName(slot_.view()); }
  void Fill(int count) {
    for (int i = 0; i < count; ++i) hash_.Set("f" + std::to_string(i), "v", kNow);
  }

  EncodingLimits limits_;
  FakeSlot slot_;
  MutableHash hash_{slot_, limits_};
  std::mt19937_64 rng_{1};
};

TEST_F(HashTest, AbsentIsEmpty) {
  EXPECT_EQ(Hash().size(kNow), 0u);
  EXPECT_FALSE(Hash().Find("f", kNow));
  EXPECT_FALSE(Hash().Random(rng_, kNow));
  EXPECT_EQ(Hash().NextExpiry(), kNever);
  EXPECT_EQ(Hash().Scan(0, 10, [](const Item&) { FAIL(); }, kNow), 0u);
  EXPECT_FALSE(hash_.Erase("f", kNow));
  EXPECT_FALSE(hash_.SetFieldExpiry("f", 5, kNow));
  EXPECT_EQ(hash_.EraseExpired(kNow, 10), 0u);
  EXPECT_FALSE(slot_.exists());
}

TEST_F(HashTest, LastFieldTakesTheSlotAway) {
  EXPECT_TRUE(hash_.Set("f", "1", kNow));
  EXPECT_FALSE(hash_.Set("f", "2", kNow));
  EXPECT_EQ(Get("f"), "2");
  EXPECT_TRUE(hash_.Erase("f", kNow));
  EXPECT_FALSE(slot_.exists());
}

TEST_F(HashTest, SessionStaysOnePackedBlockAndSaysHashtable) {
  for (const char* field : {"lock", "wait", "pid", "writes", "req"}) hash_.Set(field, "1", kNow);
  EXPECT_EQ(Name(), "listpack");
  hash_.Set("data", std::string(2000, 'd'), kNow);
  EXPECT_EQ(Name(), "hashtable");
  EXPECT_EQ(slot_.encoding(), Encoding::kPacked);
  EXPECT_LT(slot_.size(), 60u);
  EXPECT_NE(View().Find("data", kNow)->blob, nullptr);
  hash_.Set("data", "short", kNow);
  EXPECT_EQ(Name(), "hashtable") << "sticky, as in Redis";
}

TEST_F(HashTest, OneFieldBeyondTheLimitMakesATrie) {
  Fill(128);
  EXPECT_EQ(Name(), "listpack");
  hash_.Set("f127", "again", kNow);
  EXPECT_EQ(slot_.encoding(), Encoding::kPacked);
  hash_.Set("one more", "v", kNow);
  EXPECT_EQ(slot_.encoding(), Encoding::kTrie);
  EXPECT_EQ(Name(), "hashtable");
  EXPECT_EQ(View().size(kNow), 129u);
  EXPECT_EQ(Get("f127"), "again");
  for (int i = 0; i < 128; ++i) EXPECT_TRUE(hash_.Erase("f" + std::to_string(i), kNow));
  EXPECT_TRUE(hash_.Erase("one more", kNow));
  EXPECT_FALSE(slot_.exists());
}

TEST_F(HashTest, ManyPackedBytesMakeATrie) {
  for (int i = 0; i < 30; ++i) hash_.Set(std::to_string(i), std::string(1000, 'v'), kNow);
  EXPECT_EQ(slot_.encoding(), Encoding::kTrie);
  EXPECT_EQ(Get("29"), std::string(1000, 'v'));
}

TEST_F(HashTest, ExpiredFieldIsGoneForReaders) {
  for (const int others : {3, 300}) {
    Fill(others);
    hash_.Set("f", "v", kNow);
    ASSERT_TRUE(hash_.SetFieldExpiry("f", kNow + 10, kNow));
    EXPECT_EQ(View().FieldExpiry("f", kNow), kNow + 10);
    EXPECT_EQ(View().FieldExpiry("f0", kNow), kNever);
    EXPECT_EQ(Get("f", kNow + 9), "v");
    EXPECT_EQ(Get("f", kNow + 10), "(nil)");
    EXPECT_EQ(View().FieldExpiry("f", kNow + 10), std::nullopt);
    EXPECT_EQ(View().size(kNow + 9), static_cast<size_t>(others) + 1);
    EXPECT_EQ(View().size(kNow + 10), static_cast<size_t>(others));
    View().ForEach([](const Item& item) { EXPECT_NE(item.field, "f"); }, kNow + 10);
    for (int i = 0; i < 100; ++i) EXPECT_NE(View().Random(rng_, kNow + 10)->field, "f");
    EXPECT_FALSE(hash_.SetFieldExpiry("f", kNow + 99, kNow + 10));
    EXPECT_FALSE(hash_.PersistField("f", kNow + 10));
    EXPECT_FALSE(hash_.Erase("f", kNow + 10)) << "it was gone already";
  }
}

TEST_F(HashTest, SettingAnExpiredFieldMakesANewOne) {
  hash_.Set("f", "old", kNow);
  hash_.SetFieldExpiry("f", kNow + 10, kNow);
  EXPECT_TRUE(hash_.Set("f", "new", kNow + 10, MutableHash::Expiry::kKeep));
  EXPECT_EQ(View().FieldExpiry("f", kNow + 10), kNever);
}

TEST_F(HashTest, SettingKeepsOrClearsTheExpiry) {
  for (const int others : {3, 300}) {
    Fill(others);
    hash_.Set("f", "v", kNow);
    hash_.SetFieldExpiry("f", kNow + 10, kNow);
    hash_.Set("f", "w", kNow, MutableHash::Expiry::kKeep);
    EXPECT_EQ(View().FieldExpiry("f", kNow), kNow + 10);
    EXPECT_TRUE(hash_.PersistField("f", kNow));
    EXPECT_FALSE(hash_.PersistField("f", kNow));
    hash_.SetFieldExpiry("f", kNow + 10, kNow);
    hash_.Set("f", "x", kNow);
    EXPECT_EQ(View().FieldExpiry("f", kNow), kNever);
    EXPECT_EQ(View().NextExpiry(), kNever);
  }
}

TEST_F(HashTest, EraseExpiredGoesInBoundedSteps) {
  for (const int count : {100, 1000}) {
    Fill(count);
    for (int i = 0; i < count; ++i) {
      hash_.SetFieldExpiry("f" + std::to_string(i), kNow + i % 2 * 1000, kNow);
    }
    std::set<std::string> erased;
    const auto note = [&](std::string_view field) { erased.emplace(field); };
    EXPECT_EQ(hash_.EraseExpired(kNow + 1, 30, note), 30u);
    EXPECT_EQ(erased.size(), 30u);
    EXPECT_EQ(hash_.EraseExpired(kNow + 1, 10'000, note), static_cast<size_t>(count) / 2 - 30);
    EXPECT_EQ(View().NextExpiry(), kNow + 1000);
    EXPECT_EQ(hash_.EraseExpired(kNow + 1, 10'000), 0u);
    EXPECT_EQ(hash_.EraseExpired(kNow + 1000, 10'000), static_cast<size_t>(count) / 2);
    EXPECT_FALSE(slot_.exists());
  }
}

TEST_F(HashTest, RandomFindsTheOneLiveFieldAmongManyExpired) {
  Fill(2000);
  for (int i = 0; i < 2000; ++i) {
    if (i != 77) hash_.SetFieldExpiry("f" + std::to_string(i), kNow + 1, kNow);
  }
  EXPECT_EQ(View().Random(rng_, kNow + 1)->field, "f77");
  hash_.SetFieldExpiry("f77", kNow + 1, kNow);
  EXPECT_FALSE(View().Random(rng_, kNow + 1));
}

TEST_F(HashTest, FieldsKeepTheirOrderWhilePacked) {
  for (const char* field : {"z", "a", "m"}) hash_.Set(field, field, kNow);
  hash_.Set("z", "longer than before", kNow);
  std::vector<std::string> order;
  View().ForEach([&](const Item& item) { order.emplace_back(item.field); }, kNow);
  EXPECT_EQ(order, (std::vector<std::string>{"z", "a", "m"}));
}

TEST_F(HashTest, BehavesAsAStdMap) {
  struct Field {
    std::string value;
    int64_t expiry;
  };
  std::map<std::string, Field> model;
  int64_t now = kNow;
  const auto live = [&](const std::string& name) {
    const auto at = model.find(name);
    return at != model.end() && at->second.expiry > now;
  };
  for (int step = 0; step < 20'000; ++step, now += 3) {
    const std::string name = std::to_string(rng_() % (step < 5000 ? 100 : 400));
    switch (rng_() % 6) {
      case 0:
        ASSERT_EQ(hash_.Erase(name, now), live(name));
        model.erase(name);
        break;
      case 1: {
        const int64_t expiry = now + static_cast<int64_t>(rng_() % 500);
        ASSERT_EQ(hash_.SetFieldExpiry(name, expiry, now), live(name));
        if (live(name)) model[name].expiry = expiry;
        break;
      }
      case 2:
        hash_.EraseExpired(now, rng_() % 4);
        break;
      default: {
        const std::string value(rng_() % (rng_() % 9 == 0 ? 2000 : 30), 'v');
        ASSERT_EQ(hash_.Set(name, value, now), !live(name));
        model[name] = {value, kNever};
      }
    }
    std::erase_if(model, [&](const auto& field) { return field.second.expiry <= now; });
    ASSERT_EQ(View().size(now), model.size());
    ASSERT_EQ(Get(name, now), model.contains(name) ? model[name].value : "(nil)");
  }
}

}  // namespace
}  // namespace cloakroom
