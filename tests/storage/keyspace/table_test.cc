#include "storage/keyspace/table.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "gtest/gtest.h"

namespace cloakroom {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;

/// A table that frees its entries.
class OwnedTable {
 public:
  ~OwnedTable() {
    table.ForEach([](Entry* entry) { Entry::Destroy(entry); });
  }

  void Insert(const std::string& key, const std::string& payload = "") {
    Entry* entry =
        Entry::Create(key, kNoExpiry, ValueType::kString, Encoding::kBytes, payload.size());
    std::copy(payload.begin(), payload.end(), entry->mutable_payload());
    Entry** slot = table.Insert(entry, KeyHash::Of(key));
    EXPECT_EQ(*slot, entry);
  }
  void InsertDue(const std::string& key, int64_t due_ms) {
    Entry* entry = Entry::Create(key, due_ms, ValueType::kString, Encoding::kBytes, 0);
    table.Insert(entry, KeyHash::Of(key));
    table.NoteDue(KeyHash::Of(key), due_ms);
  }
  bool Erase(const std::string& key) {
    Entry** slot = table.Find(key, KeyHash::Of(key));
    if (slot == nullptr) return false;
    Entry::Destroy(table.Erase(slot, KeyHash::Of(key)));
    return true;
  }
  bool Contains(const std::string& key) { return table.Find(key, KeyHash::Of(key)) != nullptr; }

  Table table;
};

std::string KeyOf(int i) { return "key:" + std::to_string(i); }

TEST(TableTest, AnEmptyTableOwnsNoBuckets) {
  Table table;
  EXPECT_EQ(table.overhead_bytes(), 0u);
  EXPECT_EQ(table.Find("k", KeyHash::Of("k")), nullptr);
  EXPECT_EQ(table.Scan(0, [](Entry*) { FAIL(); }), 0u);
  EXPECT_EQ(table.FirstDueMs(), kNever);
  absl::InsecureBitGen random;
  EXPECT_EQ(table.Random(random), nullptr);
}

TEST(TableTest, FindsWhatWasInsertedAndNothingElse) {
  OwnedTable owned;
  owned.Insert("a", "1");
  owned.Insert("b", "2");
  EXPECT_EQ((*owned.table.Find("a", KeyHash::Of("a")))->payload(), "1");
  EXPECT_EQ((*owned.table.Find("b", KeyHash::Of("b")))->payload(), "2");
  EXPECT_FALSE(owned.Contains("c"));
  EXPECT_TRUE(owned.Erase("a"));
  EXPECT_FALSE(owned.Erase("a"));
  EXPECT_EQ(owned.table.size(), 1u);
}

TEST(TableTest, EqualTagsAreToldApartByTheirKeys) {
  OwnedTable owned;
  std::vector<std::string> alike;
  for (int i = 0; alike.size() < 30; ++i) {
    if (KeyHash::Of(KeyOf(i)).tag() == KeyHash::Of(KeyOf(0)).tag()) alike.push_back(KeyOf(i));
  }
  for (const std::string& key : alike) owned.Insert(key, key);
  for (const std::string& key : alike) {
    EXPECT_EQ((*owned.table.Find(key, KeyHash::Of(key)))->payload(), key);
  }
}

TEST(TableTest, AnOverflowBucketMayEmptyFromEitherEnd) {
  // Eight keys of one bucket, which holds six and an overflow bucket with two.
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 8; ++i) {
    if (KeyHash::Of(KeyOf(i)).bucket_bits() % 2 == 0) keys.push_back(KeyOf(i));
  }
  for (bool last_first : {true, false}) {
    OwnedTable owned;
    for (const std::string& key : keys) owned.Insert(key);
    std::vector<std::string> order = keys;
    if (last_first) std::reverse(order.begin(), order.end());
    for (size_t gone = 0; gone < order.size(); ++gone) {
      ASSERT_TRUE(owned.Erase(order[gone]));
      for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(owned.Contains(order[i]), i > gone);
    }
  }
}

TEST(TableTest, OneInsertionAddsAtMostOneBucket) {
  OwnedTable owned;
  for (int i = 0; i < 5'000; ++i) {
    size_t before = owned.table.bucket_count();
    owned.Insert(KeyOf(i));
    ASSERT_LE(owned.table.bucket_count(), before + 1);
  }
}

TEST(TableTest, OneErasureTakesAtMostOneBucket) {
  OwnedTable owned;
  for (int i = 0; i < 5'000; ++i) owned.Insert(KeyOf(i));
  for (int i = 0; i < 5'000; ++i) {
    size_t before = owned.table.bucket_count();
    ASSERT_TRUE(owned.Erase(KeyOf(i)));
    ASSERT_GE(owned.table.bucket_count() + 1, before);
  }
}

TEST(TableTest, MemoryFollowsTheNumberOfEntries) {
  OwnedTable owned;
  for (int i = 0; i < 20'000; ++i) owned.Insert(KeyOf(i));
  // A 64-byte bucket holds five on average; overflow buckets and the directory come on top.
  EXPECT_LT(owned.table.overhead_bytes(), 20'000u * 18);
  for (int i = 20; i < 20'000; ++i) owned.Erase(KeyOf(i));
  EXPECT_LE(owned.table.bucket_count(), 10u);
  EXPECT_LT(owned.table.overhead_bytes(), 16u * 1024);
}

TEST(TableTest, BehavesAsAMapUnderRandomChanges) {
  std::mt19937 random(7);
  OwnedTable owned;
  std::map<std::string, std::string> model;
  for (int step = 0; step < 60'000; ++step) {
    // The number of keys rises and falls, so that buckets split and merge all the time.
    bool grow = step / 10'000 % 2 == 0;
    std::string key = KeyOf(static_cast<int>(random() % 6'000));
    if (random() % 10 < (grow ? 8 : 2)) {
      std::string value = std::to_string(step);
      if (model.contains(key)) owned.Erase(key);
      owned.Insert(key, value);
      model[key] = value;
    } else {
      ASSERT_EQ(owned.Erase(key), model.erase(key) == 1);
    }
    ASSERT_EQ(owned.table.size(), model.size());
    if (step % 997 != 0) continue;
    std::map<std::string, std::string> seen;
    owned.table.ForEach(
        [&](Entry* entry) { EXPECT_TRUE(seen.emplace(entry->key(), entry->payload()).second); });
    ASSERT_EQ(seen, model);
    for (const auto& [name, value] : model) {
      ASSERT_EQ((*owned.table.Find(name, KeyHash::Of(name)))->payload(), value);
    }
  }
}

/// Scans while `change` changes the table after each step; returns how often each key came.
template <typename Change>
std::map<std::string, int> ScanWhile(OwnedTable& owned, Change&& change) {
  std::map<std::string, int> seen;
  uint64_t position = 0;
  do {
    position = owned.table.Scan(position, [&](Entry* entry) { ++seen[std::string(entry->key())]; });
    change();
  } while (position != 0);
  return seen;
}

void ExpectOnce(const std::map<std::string, int>& seen, int keys) {
  for (int i = 0; i < keys; ++i) {
    auto found = seen.find(KeyOf(i));
    ASSERT_NE(found, seen.end()) << i;
    EXPECT_EQ(found->second, 1) << i;
  }
}

TEST(TableTest, AScanVisitsEachEntryOnce) {
  OwnedTable owned;
  for (int i = 0; i < 3'000; ++i) owned.Insert(KeyOf(i));
  auto seen = ScanWhile(owned, [] {});
  EXPECT_EQ(seen.size(), 3'000u);
  ExpectOnce(seen, 3'000);
}

TEST(TableTest, AScanMissesNothingWhileTheTableGrows) {
  OwnedTable owned;
  for (int i = 0; i < 500; ++i) owned.Insert(KeyOf(i));
  int added = 500;
  auto seen = ScanWhile(owned, [&] {
    for (int i = 0; i < 40 && added < 20'000; ++i) owned.Insert(KeyOf(added++));
  });
  ExpectOnce(seen, 500);
}

TEST(TableTest, AScanMissesNothingAndRepeatsNothingWhileTheTableShrinks) {
  OwnedTable owned;
  for (int i = 0; i < 8'000; ++i) owned.Insert(KeyOf(i));
  int left = 8'000;
  auto seen = ScanWhile(owned, [&] {
    for (int i = 0; i < 20 && left > 300; ++i) owned.Erase(KeyOf(--left));
  });
  ExpectOnce(seen, 300);
  for (const auto& [key, times] : seen) EXPECT_EQ(times, 1) << key;
}

TEST(TableTest, AScanMissesNothingWhileTheTableSwellsAndEbbs) {
  OwnedTable owned;
  std::mt19937 random(3);
  for (int i = 0; i < 400; ++i) owned.Insert(KeyOf(i));
  std::set<int> others;
  for (int round = 0; round < 20; ++round) {
    auto seen = ScanWhile(owned, [&] {
      bool grow = random() % 2 == 0;
      for (int i = 0; i < 200; ++i) {
        int other = 400 + static_cast<int>(random() % 4'000);
        if (grow && others.insert(other).second) owned.Insert(KeyOf(other));
        if (!grow && others.erase(other) == 1) owned.Erase(KeyOf(other));
      }
    });
    ExpectOnce(seen, 400);
  }
}

TEST(TableTest, AScanFromAnyNumberEnds) {
  OwnedTable owned;
  for (int i = 0; i < 1'000; ++i) owned.Insert(KeyOf(i));
  uint64_t position = 0x7abc'def1'2345;
  int steps = 0;
  do {
    position = owned.table.Scan(position, [](Entry*) {});
    ASSERT_LT(++steps, 2'000);
  } while (position != 0);
}

TEST(TableTest, RandomReachesEveryEntry) {
  OwnedTable owned;
  absl::InsecureBitGen random;
  for (int i = 0; i < 60; ++i) owned.Insert(KeyOf(i));
  std::map<Entry*, int> drawn;
  for (int i = 0; i < 12'000; ++i) ++drawn[owned.table.Random(random)];
  EXPECT_EQ(drawn.size(), 60u);
  // Each is drawn 200 times on average.
  for (const auto& [entry, times] : drawn) EXPECT_GT(times, 80) << entry->key();
}

TEST(TableTest, SwapExchangesEverything) {
  OwnedTable a, b;
  a.InsertDue("x", kNow);
  for (int i = 0; i < 100; ++i) b.Insert(KeyOf(i));
  a.table.swap(b.table);
  EXPECT_EQ(a.table.size(), 100u);
  EXPECT_EQ(a.table.FirstDueMs(), kNever);
  EXPECT_TRUE(b.Contains("x"));
  EXPECT_NE(b.table.FirstDueMs(), kNever);
}

/// The entries that CollectDue reports until it has finished, each once.
std::set<std::string> AllDue(Table& table, int64_t now_ms, size_t max_groups) {
  std::set<std::string> due;
  while (true) {
    Table::DueSlice slice = table.CollectDue(now_ms, max_groups, [&](Entry* entry) {
      const int64_t at = entry->NextDue();
      if (at > now_ms) return at;
      EXPECT_TRUE(due.emplace(entry->key()).second);
      return kNever;
    });
    EXPECT_LE(slice.visited, max_groups * 16);
    if (slice.finished) return due;
  }
}

TEST(TableTest, WhatIsDueIsFoundAndNothingElse) {
  OwnedTable owned;
  for (int i = 0; i < 1'000; ++i) owned.Insert("keep:" + std::to_string(i));
  for (int i = 0; i < 1'000; ++i) owned.InsertDue(KeyOf(i), kNow + i * 1'000);
  EXPECT_TRUE(AllDue(owned.table, kNow - 1, 2).empty());
  EXPECT_EQ(AllDue(owned.table, kNow + 99'500, 2).size(), 100u);
}

TEST(TableTest, NothingDueIsLostWhenBucketsSplitAndMerge) {
  OwnedTable owned;
  for (int i = 0; i < 50; ++i) owned.InsertDue("due:" + std::to_string(i), kNow + 5'000);
  for (int i = 0; i < 10'000; ++i) owned.Insert(KeyOf(i));
  for (int i = 0; i < 10'000; ++i) owned.Erase(KeyOf(i));
  for (int i = 0; i < 2'000; ++i) owned.Insert(KeyOf(i));
  EXPECT_LE(owned.table.FirstDueMs(), kNow + 5'000);
  EXPECT_EQ(AllDue(owned.table, kNow + 5'000, 1).size(), 50u);
}

TEST(TableTest, AGroupThatWasLookedAtIsLeftAloneUntilItsNextTime) {
  OwnedTable owned;
  for (int i = 0; i < 100; ++i) owned.InsertDue(KeyOf(i), kNow + 60'000);
  owned.table.NoteDue(KeyHash::Of(KeyOf(0)), kNow);
  EXPECT_TRUE(AllDue(owned.table, kNow, 100).empty());
  Table::DueSlice slice = owned.table.CollectDue(kNow + 1'000, 100, [](Entry*) -> int64_t {
    ADD_FAILURE();
    return kNever;
  });
  EXPECT_TRUE(slice.finished);
  EXPECT_EQ(slice.visited, 0u);
}

}  // namespace
}  // namespace cloakroom
