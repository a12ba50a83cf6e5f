#include "storage/keyspace/reclaimer.h"

#include <string>
#include <thread>
#include <vector>

#include "storage/values/set.h"
#include "storage/values/shared_value.h"
#include "storage/values/string_value.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

// The address sanitizer checks that everything is freed exactly once.

Entry* StringEntry(std::string_view key, size_t size) {
  BlobRef blob = BlobRef::Adopt(Blob::Create(std::string(size, 'x')));
  const Blob* raw = blob.get();
  raw->Ref();
  Entry* entry = Entry::Create(key, kNoExpiry, ValueType::kString, Encoding::kBlob, sizeof(raw));
  std::memcpy(entry->mutable_payload(), &raw, sizeof(raw));
  return entry;
}

class ReclaimerTest : public KeyspaceTest {
 protected:
  /// An entry with a set of this many members, taken out of the keyspace.
  Entry* SetEntry(int members) {
    Entry* entry = nullptr;
    EncodingLimits limits = keyspace_.encoding_limits();
    Write(db(), "set", [&](WriteScope& scope) {
      {
        MutableSet set(scope, limits);
        for (int i = 0; i < members; ++i) set.Add("member " + std::to_string(i));
      }
      entry = scope.Detach();
    });
    return entry;
  }
};

TEST_F(ReclaimerTest, SmallValuesAreFreedOnTheSpot) {
  Reclaimer reclaimer;
  reclaimer.Drop(StringEntry("k", 100'000));
  reclaimer.Drop(SetEntry(10));
  EXPECT_EQ(reclaimer.pending(), 0);
  EXPECT_EQ(reclaimer.freed(), 0);
}

TEST_F(ReclaimerTest, LargeValuesAreFreedElsewhereAndCounted) {
  Reclaimer reclaimer;
  reclaimer.Drop(SetEntry(50'000));
  reclaimer.Drain();
  EXPECT_EQ(reclaimer.pending(), 0);
  EXPECT_EQ(reclaimer.freed(), 1);
  reclaimer.ResetFreed();
  EXPECT_EQ(reclaimer.freed(), 0);
}

TEST_F(ReclaimerTest, AValueMayGoWithoutItsEntry) {
  Reclaimer reclaimer;
  for (int members : {10, 50'000}) {
    Entry* entry = SetEntry(members);
    reclaimer.DropValue(entry->value());
    Entry::Destroy(entry);
  }
  reclaimer.Drain();
  EXPECT_EQ(reclaimer.freed(), 1);
}

TEST_F(ReclaimerTest, ATableGoesWithAllThatIsInIt) {
  Reclaimer reclaimer;
  Table table;
  for (int i = 0; i < 1'000; ++i) {
    std::string key = std::to_string(i);
    table.Insert(StringEntry(key, 500), KeyHash::Of(key));
  }
  reclaimer.DropTable(std::move(table));
  reclaimer.DropTable(Table());
  reclaimer.Drain();
  EXPECT_EQ(reclaimer.freed(), 1'000);
  EXPECT_EQ(reclaimer.pending(), 0);
}

TEST_F(ReclaimerTest, AValueThatSomebodyStillReadsOutlivesItsEntry) {
  Reclaimer reclaimer;
  Entry* entry = SetEntry(50'000);
  SharedValue shared(entry->value());
  reclaimer.Drop(entry);
  reclaimer.Drain();
  EXPECT_EQ(cloakroom::Set(shared.view()).size(), 50'000u);
}

TEST_F(ReclaimerTest, FreesWhatIsLeftBeforeItEnds) {
  Reclaimer reclaimer;
  for (int i = 0; i < 20; ++i) reclaimer.Drop(SetEntry(2'000));
}

TEST_F(ReclaimerTest, ManyThreadsMayDropAtOnce) {
  Reclaimer reclaimer;
  std::vector<std::vector<Entry*>> entries(3);
  for (auto& own : entries) {
    for (int i = 0; i < 20; ++i) own.push_back(SetEntry(2'000));
  }
  std::vector<std::thread> threads;
  for (auto& own : entries) {
    threads.emplace_back([&] {
      for (Entry* entry : own) reclaimer.Drop(entry);
    });
  }
  for (std::thread& thread : threads) thread.join();
  reclaimer.Drain();
  EXPECT_EQ(reclaimer.freed(), 60);
}

}  // namespace
}  // namespace cloakroom
