#include "storage/changes/change.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

/// "0 kind number: key item; " for each change.
std::string TextOf(const ChangeBatch& batch) {
  std::string text;
  batch.ForEach([&](const Change& change) {
    text += std::to_string(change.db) + " " + std::to_string(static_cast<int>(change.kind)) + " " +
            std::to_string(change.number) + ":";
    for (std::string_view word : change.words) text.append(" ").append(word);
    text += "; ";
  });
  return text;
}

TEST(ChangeBatchTest, KeepsChangesInTheirOrder) {
  ChangeBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.Add(3, ChangeKind::kSetString, {"key", "value"}, 17);
  batch.Add(1, ChangeKind::kFlushDatabase, {});
  EXPECT_EQ(TextOf(batch), "3 0 17: key value; 1 " +
                               std::to_string(static_cast<int>(ChangeKind::kFlushDatabase)) +
                               " 0:; ");
  EXPECT_EQ(batch.change_count(), 2U);
  EXPECT_EQ(batch.first_db(), 3);
  EXPECT_EQ(batch.last_db(), 1);
  EXPECT_EQ(batch.byte_count(), 8U);
}

TEST(ChangeBatchTest, KeepsEventsApartFromChanges) {
  ChangeBatch batch;
  batch.AddEvent({.db = 2, .name = "set", .key = "key"});
  batch.AddEvent({.db = 0, .name = "new", .key = "other", .modified = false});
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.has_events());
  std::string text;
  batch.ForEachEvent([&](const ChangeBatch::Event& event) {
    text += std::to_string(event.db) + " " + std::string(event.name) + " " +
            std::string(event.key) + (event.modified ? " modified; " : "; ");
  });
  EXPECT_EQ(text, "2 set key modified; 0 new other; ");
  batch.Abandon();
  batch.AddEvent({.db = 0, .name = "set", .key = "late"});
  EXPECT_FALSE(batch.has_events());
}

TEST(ChangeBatchTest, ItemsOfOneKeyThatChangeAlikeAreOneChange) {
  ChangeBatch batch;
  batch.AddItem(0, ChangeKind::kAddMember, "s", {"a"});
  batch.AddItem(0, ChangeKind::kAddMember, "s", {"b"});
  EXPECT_EQ(TextOf(batch), "0 10 0: s a b; ");
  batch.AddItem(0, ChangeKind::kRemoveMember, "s", {"c"});
  batch.AddItem(0, ChangeKind::kRemoveMember, "t", {"d"});
  batch.AddItem(1, ChangeKind::kRemoveMember, "t", {"e"});
  EXPECT_EQ(batch.change_count(), 4U);
}

TEST(ChangeBatchTest, AFieldThatExpiresIsAChangeOfItsOwn) {
  ChangeBatch batch;
  batch.AddItem(0, ChangeKind::kExpireField, "h", {"a"}, 5);
  batch.AddItem(0, ChangeKind::kExpireField, "h", {"b"}, 5);
  EXPECT_EQ(TextOf(batch), "0 8 5: h a; 0 8 5: h b; ");
}

TEST(ChangeBatchTest, WhatIsAbandonedAndWhatFollowsIsDropped) {
  ChangeBatch batch;
  batch.Add(0, ChangeKind::kRemoveKey, {"a"});
  batch.Abandon();
  batch.Add(0, ChangeKind::kRemoveKey, {"b"});
  batch.AddItem(0, ChangeKind::kAddMember, "s", {"c"});
  EXPECT_TRUE(batch.empty());
  batch.Clear();
  batch.Add(0, ChangeKind::kRemoveKey, {"d"});
  EXPECT_EQ(batch.change_count(), 1U);
}

TEST(ChangeBatchPoolTest, ABatchComesBackEmptyAndGivesBackWhatItHeld) {
  MemoryMeter::RegisterThread();
  ChangeBatchPool pool;
  std::unique_ptr<ChangeBatch> batch = pool.Take();
  const ChangeBatch* const same = batch.get();
  const std::string key(4 << 20, 'k');
  const int64_t before = MemoryMeter::UsedBytes();
  for (int i = 0; i < 1'000'000; ++i) batch->Add(0, ChangeKind::kRemoveKey, {"k"});
  batch->AddItem(0, ChangeKind::kAddMember, key, {"m"});
  EXPECT_GT(MemoryMeter::UsedBytes() - before, 30'000'000);
  pool.Give(std::move(batch));
  EXPECT_LT(MemoryMeter::UsedBytes() - before, 2'000'000);
  batch = pool.Take();
  EXPECT_EQ(batch.get(), same);
  EXPECT_TRUE(batch->empty());
}

}  // namespace
}  // namespace cloakroom
