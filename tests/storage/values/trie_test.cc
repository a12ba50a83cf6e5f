#include "storage/values/trie.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/support/trie_check.h"

namespace cloakroom {
namespace {

using Model = std::map<std::string, std::pair<std::string, int64_t>>;

Model Contents(const TrieView& view) {
  Model contents;
  view.ForEach([&](const Item& item) {
    EXPECT_TRUE(
        contents.emplace(item.field, std::pair(std::string(item.value.bytes), item.expires_at_ms))
            .second)
        << item.field;
  });
  return contents;
}

std::set<std::string> Members(const TrieView& view) {
  std::set<std::string> members;
  view.ForEach([&](const Item& item) { members.emplace(item.field); });
  return members;
}

// Hashes that differ only in the bits of the last nodes, or not at all.
uint64_t DeepHash(std::string_view field) {
  return 0x123456789ABCD000 | (SeededTrieHash(field) & 0x3F0);
}
uint64_t EqualHash(std::string_view) { return 0x8000000000000001; }

TEST(TrieTest, PutTellsWhatIsNewAndEraseWhatWasThere) {
  Trie trie(/*has_values=*/true);
  EXPECT_TRUE(trie.empty());
  EXPECT_TRUE(trie.Put("f", "1"));
  EXPECT_FALSE(trie.Put("f", "2"));
  EXPECT_EQ(trie.view().Find("f")->value.bytes, "2");
  EXPECT_FALSE(trie.Erase("g"));
  EXPECT_TRUE(trie.Erase("f"));
  EXPECT_FALSE(trie.Erase("f"));
  EXPECT_TRUE(trie.empty());
}

class TrieModelTest : public ::testing::TestWithParam<TrieHash> {};

TEST_P(TrieModelTest, BehavesAsAStdMap) {
  Trie trie(/*has_values=*/true, GetParam());
  Model model;
  std::mt19937 rng(5);
  for (int step = 0; step < 30'000; ++step) {
    // The number of members rises and falls, so that leaves split and merge all the time.
    const bool growing = step / 3000 % 2 == 0;
    const std::string field = "field:" + std::to_string(rng() % 1000);
    const size_t size = rng() % 20 == 0 ? rng() % 3000 : rng() % 30;
    const unsigned action = rng() % 10;
    if (action < (growing ? 6 : 2)) {
      const int64_t expiry = rng() % 4 == 0 ? static_cast<int64_t>(rng() % 5000) : kNever;
      const std::string value(size, static_cast<char>('a' + rng() % 26));
      ASSERT_EQ(trie.Put(field, value, expiry), !model.contains(field));
      model[field] = {value, expiry};
    } else if (action < 9) {
      ASSERT_EQ(trie.Erase(field), model.erase(field) == 1);
    } else {
      const int64_t expiry = static_cast<int64_t>(rng() % 5000);
      ASSERT_EQ(trie.SetExpiry(field, expiry), model.contains(field));
      if (model.contains(field)) model[field].second = expiry;
    }
    ASSERT_EQ(trie.size(), model.size());
    ASSERT_EQ(trie.view().Find(field).has_value(), model.contains(field));
    if (step % 500 == 0) {
      CheckTrie(trie, GetParam());
      ASSERT_EQ(Contents(trie.view()), model);
    }
  }
  while (!model.empty()) {
    ASSERT_TRUE(trie.Erase(model.begin()->first));
    model.erase(model.begin());
  }
  EXPECT_TRUE(trie.empty());
}

INSTANTIATE_TEST_SUITE_P(Hashes, TrieModelTest,
                         ::testing::Values(SeededTrieHash, DeepHash, EqualHash));

TEST(TrieTest, MembersOfEqualHashStillBelong) {
  Trie trie(/*has_values=*/false, EqualHash);
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(trie.Put(std::to_string(i)));
  EXPECT_EQ(trie.size(), 300u);
  EXPECT_TRUE(trie.view().Find("299"));
  CheckTrie(trie, EqualHash);
}

TEST(TrieTest, HugeItemsGetLeavesOfTheirOwn) {
  Trie trie(/*has_values=*/false);
  for (int i = 0; i < 50; ++i) trie.Put(std::to_string(i) + std::string(10'000, 'm'));
  CheckTrie(trie);
  trie.view().Scan(0, 1000, [](const Item&) {});
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(trie.Erase(std::to_string(i) + std::string(10'000, 'm')));
  EXPECT_TRUE(trie.empty());
}

TEST(TrieTest, SnapshotKeepsWhatItSaw) {
  Trie trie(/*has_values=*/true);
  for (int i = 0; i < 5000; ++i)
    trie.Put(std::to_string(i), std::string(i % 50 == 0 ? 2000 : 5, 'v'));
  const Trie snapshot = trie.Share();
  const Model before = Contents(trie.view());
  std::mt19937 rng(9);
  for (int i = 0; i < 5000; ++i) {
    const std::string field = std::to_string(rng() % 8000);
    rng() % 2 == 0 ? trie.Put(field, std::string(rng() % 1500, 'w'), 77) : trie.Erase(field);
  }
  EXPECT_EQ(Contents(snapshot.view()), before);
  EXPECT_NE(Contents(trie.view()), before);
  CheckTrie(snapshot);
  CheckTrie(trie);
}

TEST(TrieTest, SnapshotsOfSnapshotsAreIndependent) {
  std::vector<Trie> tries;
  std::vector<std::set<std::string>> models(1);
  tries.emplace_back(/*has_values=*/false);
  std::mt19937 rng(13);
  for (int step = 0; step < 20'000; ++step) {
    const size_t which = rng() % tries.size();
    const std::string member = std::to_string(rng() % 700);
    if (rng() % 3 != 0) {
      ASSERT_EQ(tries[which].Put(member), models[which].insert(member).second);
    } else {
      ASSERT_EQ(tries[which].Erase(member), models[which].erase(member) == 1);
    }
    if (step % 200 != 0) continue;
    if (tries.size() < 8) {
      tries.push_back(tries[which].Share());
      models.push_back(models[which]);
    } else {
      const size_t other = rng() % tries.size();
      tries[other] = tries[which].Share();
      models[other] = models[which];
    }
    ASSERT_EQ(Members(tries[which].view()), models[which]);
  }
  for (size_t i = 0; i < tries.size(); ++i) {
    CheckTrie(tries[i]);
    EXPECT_EQ(Members(tries[i].view()), models[i]);
  }
}

TEST(TrieTest, ChangeBesideASnapshotCopiesOnlyAPath) {
  Trie trie(/*has_values=*/false);
  for (int i = 0; i < 50'000; ++i) trie.Put("member:" + std::to_string(i));
  const Trie snapshot = trie.Share();
  trie.Put("one more");
  size_t shared_leaves = 0;
  size_t own_leaves = 0;
  for (size_t rank = 0; rank < snapshot.size(); rank += 7) {
    const auto item = snapshot.view().At(rank);
    const auto other = trie.view().Find(item.field);
    (other->field.data() == item.field.data() ? shared_leaves : own_leaves) += 1;
  }
  EXPECT_LE(own_leaves, kMaxLeafItems);
  EXPECT_GT(shared_leaves, 6000u);
}

TEST(TrieTest, MemoryComesBackAfterMassRemoval) {
  Trie trie(/*has_values=*/false);
  for (int i = 0; i < 20'000; ++i) trie.Put("member:" + std::to_string(i));
  const size_t full = trie.view().MemoryUsage(0);
  for (int i = 0; i < 20'000; ++i) {
    if (i % 20 != 0) trie.Erase("member:" + std::to_string(i));
  }
  CheckTrie(trie);
  EXPECT_LT(trie.view().MemoryUsage(0), full / 20 * 2);
}

TEST(TrieTest, ScanReturnsWhatStaysInSpiteOfSplitsAndMerges) {
  std::mt19937 rng(17);
  for (int round = 0; round < 20; ++round) {
    Trie trie(/*has_values=*/false);
    std::set<std::string> staying;
    for (int i = 0; i < 500; ++i) {
      trie.Put(*staying.insert("stay:" + std::to_string(i)).first);
    }
    std::set<std::string> seen;
    uint64_t cursor = 0;
    int added = 0;
    const bool grows = round % 2 == 0;
    if (!grows) {
      for (; added < 20'000; ++added) trie.Put("go:" + std::to_string(added));
    }
    do {
      cursor = trie.view().Scan(cursor, 1 + rng() % 50,
                                [&](const Item& item) { seen.emplace(item.field); });
      for (int i = 0; i < 300; ++i) {
        if (grows && added < 20'000) trie.Put("go:" + std::to_string(added++));
        if (!grows && added > 0) trie.Erase("go:" + std::to_string(--added));
      }
    } while (cursor != 0);
    for (const std::string& member : staying) EXPECT_TRUE(seen.contains(member)) << member;
  }
}

TEST(TrieTest, AdoptTakesTheBlobsOfABlock) {
  TrieLeafEditor block(TrieLeaf::Create(/*has_values=*/true));
  for (int i = 0; i < 200; ++i) {
    block.Append(0, std::to_string(i), std::string(i % 2 == 0 ? 2000 : 10, 'v'), 50 + i);
  }
  const BlobRef blob = BlobRef::Share(block.leaf()->Find(0, "0")->value.blob);
  {
    Trie trie(/*has_values=*/true);
    trie.Adopt(block.leaf()->items());
    TrieLeaf::FreeKeepingBlobs(block.leaf());
    CheckTrie(trie);
    EXPECT_EQ(trie.size(), 200u);
    EXPECT_EQ(trie.view().Find("0")->value.blob, blob.get());
    EXPECT_EQ(trie.view().MinExpiry(), 50);
  }
  EXPECT_TRUE(blob->unique());
}

TEST(TrieTest, MinExpiryIsExact) {
  Trie trie(/*has_values=*/true);
  for (int i = 0; i < 500; ++i) trie.Put(std::to_string(i), "v", 1000 + i);
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(trie.view().MinExpiry(), 1000 + i);
    i % 3 == 0 ? trie.Erase(std::to_string(i)) : trie.SetExpiry(std::to_string(i), kNever);
  }
  EXPECT_EQ(trie.view().MinExpiry(), kNever);
}

// For ThreadSanitizer: there is no lock between the writer and the readers of a snapshot.
TEST(TrieTest, ReadersOfASnapshotRunBesideTheWriter) {
  Trie trie(/*has_values=*/true);
  for (int i = 0; i < 3000; ++i) trie.Put(std::to_string(i), std::string(i % 40 * 40, 'v'), 10 + i);
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  std::mt19937 rng(21);
  for (int round = 0; round < 8; ++round) {
    readers.emplace_back([snapshot = trie.Share(), &wrong]() mutable {
      const size_t size = snapshot.size();
      for (int pass = 0; pass < 3; ++pass) {
        size_t items = 0;
        size_t bytes = 0;
        snapshot.view().ForEach([&](const Item& item) {
          items += 1;
          for (const char byte : item.value.bytes) bytes += byte == 'v' || byte == 'w';
          bytes -= item.value.bytes.size();
        });
        wrong += items != size || bytes != 0;
        snapshot.Put("mine", "w");  // a snapshot may change on its own thread, too
        snapshot.Erase("mine");
      }
    });
    for (int i = 0; i < 2000; ++i) {
      const std::string field = std::to_string(rng() % 4000);
      rng() % 2 == 0 ? trie.Put(field, std::string(rng() % 1600, 'w'), 5) : trie.Erase(field);
    }
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
  CheckTrie(trie);
}

}  // namespace
}  // namespace cloakroom
