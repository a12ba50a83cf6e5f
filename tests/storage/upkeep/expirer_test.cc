#include "storage/upkeep/expirer.h"

#include <string>

#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

class ExpirerTest : public KeyspaceTest {
 protected:
  size_t Run() {
    return expirer_.Run([] { return true; });
  }
  void SetFields(std::string_view key, int fields, int64_t expire_at_ms) {
    Write(db(), key, [&](WriteScope& scope) {
      MutableHash hash(scope, limits_);
      for (int i = 0; i < fields; ++i) {
        std::string field = "f" + std::to_string(expire_at_ms) + ":" + std::to_string(i);
        hash.Set(field, "v", now_ms());
        if (expire_at_ms != kNoExpiry) hash.SetFieldExpiry(field, expire_at_ms, now_ms());
      }
    });
  }

  EncodingLimits limits_ = keyspace_.encoding_limits();
  Expirer expirer_{keyspace_};
};

TEST_F(ExpirerTest, RemovesWhatIsDueAndNothingElse) {
  for (int i = 0; i < 100; ++i) {
    Set(db(), "due:" + std::to_string(i), "v", now_ms() + 1'000);
    Set(db(), "later:" + std::to_string(i), "v", now_ms() + 2'000);
    Set(db(), "never:" + std::to_string(i), "v");
  }
  EXPECT_EQ(Run(), 0u);
  Advance(1'000);
  EXPECT_EQ(Run(), 100u);
  EXPECT_EQ(db().size(), 200u);
  EXPECT_EQ(keyspace_.counters().expired, 100);
  Advance(1'000);
  EXPECT_EQ(Run(), 100u);
  EXPECT_EQ(Run(), 0u);
  EXPECT_EQ(db().size(), 100u);
}

TEST_F(ExpirerTest, PassesOverADatabaseThatIsClosedAndComesBackToIt) {
  for (int i = 0; i < 3; ++i) Set(db(i), "k", "v", now_ms() + 1);
  TakeEvents();
  Advance(1);
  Hold hold(keyspace_.background_slot());
  hold.WaitAndClose(db(1));
  EXPECT_EQ(Run(), 2u);
  hold.Release();
  EXPECT_EQ(TakeEvents(), "expired 0:k; expired 2:k; ");
  EXPECT_EQ(Run(), 1u);
  EXPECT_EQ(TakeEvents(), "expired 1:k; ");
}

TEST_F(ExpirerTest, DuringAPauseWhatHasExpiredIsHiddenAndStays) {
  Set(db(), "k", "v", now_ms() + 1);
  keyspace_.settings().unchanging_until_ms = now_ms() + 10;
  Advance(5);
  EXPECT_EQ(Run(), 0u);
  EXPECT_EQ(Get(db(), "k"), std::nullopt);
  EXPECT_EQ(db().size(), 1u);
  Advance(5);
  EXPECT_EQ(Run(), 1u);
  EXPECT_EQ(db().size(), 0u);
}

TEST_F(ExpirerTest, GoesOverEveryDatabase) {
  Set(db(0), "k", "v", now_ms() + 1);
  Set(db(2), "k", "v", now_ms() + 1);
  TakeEvents();
  Advance(1);
  EXPECT_EQ(Run(), 2u);
  EXPECT_EQ(TakeEvents(), "expired 0:k; expired 2:k; ");
}

TEST_F(ExpirerTest, ManyThatExpireTogetherLeaveInOnePassOfManySlices) {
  constexpr int kKeys = 50'000;
  for (int i = 0; i < kKeys; ++i) Set(db(), "k" + std::to_string(i), "v", now_ms() + 10);
  TakeEvents();
  Advance(10);
  int slices = 0;
  EXPECT_EQ(expirer_.Run([&] {
    ++slices;
    // No stripe and no gate is held in between.
    EXPECT_FALSE(Exists(db(), "absent"));
    return true;
  }),
            static_cast<size_t>(kKeys));
  EXPECT_GE(slices, kKeys / 64);
  EXPECT_EQ(db().size(), 0u);
  EXPECT_EQ(db().expires(), 0u);
}

TEST_F(ExpirerTest, EndsWhenItIsToldTo) {
  for (int i = 0; i < 10'000; ++i) Set(db(), "k" + std::to_string(i), "v", now_ms() + 10);
  Advance(10);
  size_t removed = expirer_.Run([] { return false; });
  EXPECT_GT(removed, 0u);
  EXPECT_LE(removed, 64u);
  EXPECT_EQ(Run(), 10'000 - removed);
}

TEST_F(ExpirerTest, AProlongedKeyStays) {
  Set(db(), "k", "v", now_ms() + 1'000);
  Write(db(), "k", [&](WriteScope& scope) { scope.SetExpiry(now_ms() + 60'000); });
  Set(db(), "persistent", "v", now_ms() + 1'000);
  Write(db(), "persistent", [](WriteScope& scope) { scope.SetExpiry(kNoExpiry); });
  Advance(1'000);
  EXPECT_EQ(Run(), 0u);
  EXPECT_TRUE(Exists(db(), "k"));
  Advance(60'000);
  EXPECT_EQ(Run(), 1u);
  EXPECT_TRUE(Exists(db(), "persistent"));
}

TEST_F(ExpirerTest, AShortenedKeyLeavesEarly) {
  Set(db(), "k", "v", now_ms() + 3'600'000);
  Write(db(), "k", [&](WriteScope& scope) { scope.SetExpiry(now_ms() + 200); });
  Advance(200);
  EXPECT_EQ(Run(), 1u);
}

TEST_F(ExpirerTest, KeysThatMovedWithTheGrowingTableAreFound) {
  for (int i = 0; i < 500; ++i) Set(db(), "due" + std::to_string(i), "v", now_ms() + 50);
  for (int i = 0; i < 30'000; ++i) Set(db(), "k" + std::to_string(i), "v");
  for (int i = 0; i < 30'000; ++i) Delete(db(), "k" + std::to_string(i));
  Advance(50);
  EXPECT_EQ(Run(), 500u);
}

TEST_F(ExpirerTest, FieldsLeaveOneByOneAndTheHashWithTheLast) {
  SetFields("h", 3, now_ms() + 100);
  SetFields("h", 2, now_ms() + 500);
  TakeEvents();
  Advance(100);
  EXPECT_EQ(Run(), 3u);
  EXPECT_EQ(TakeEvents(), "hexpired 0:h; ");
  EXPECT_TRUE(Exists(db(), "h"));
  Advance(400);
  EXPECT_EQ(Run(), 2u);
  EXPECT_EQ(TakeEvents(), "hexpired 0:h; del 0:h; ");
  EXPECT_FALSE(Exists(db(), "h"));
  EXPECT_EQ(db().size(), 0u);
  EXPECT_EQ(keyspace_.counters().expired_fields, 5);
  EXPECT_EQ(keyspace_.counters().expired, 0);
}

TEST_F(ExpirerTest, ManyFieldsOfOneHashLeaveInOnePass) {
  SetFields("h", 5'000, now_ms() + 100);
  SetFields("h", 1, kNoExpiry);
  Advance(100);
  EXPECT_EQ(Run(), 5'000u);
  EXPECT_TRUE(Exists(db(), "h"));
  EXPECT_EQ(Run(), 0u);
}

TEST_F(ExpirerTest, AHashThatExpiresAsAWholeIsOneKey) {
  SetFields("h", 3, now_ms() + 100);
  Write(db(), "h", [&](WriteScope& scope) { scope.SetExpiry(now_ms() + 100); });
  TakeEvents();
  Advance(100);
  EXPECT_EQ(Run(), 1u);
  EXPECT_EQ(TakeEvents(), "expired 0:h; ");
}

}  // namespace
}  // namespace cloakroom
