// Compares a snapshot with a plain copy of the keyspace, whatever happens between its steps.
#include "tests/storage/support/snapshot_model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "storage/access/flush.h"
#include "storage/access/lookup.h"
#include "storage/base/memory_meter.h"
#include "storage/snapshot/snapshot.h"
#include "storage/upkeep/evictor.h"
#include "storage/upkeep/expirer.h"
#include "storage/values/set.h"
#include "storage/values/shared_value.h"
#include "tests/storage/support/test_keyspace.h"
#include "tests/storage/support/value_text.h"

namespace cloakroom {
namespace {

constexpr int kDatabases = 4;
constexpr size_t kNoLimit = size_t{1} << 30;

/// Adds a batch of a snapshot to `given`. An entry that comes twice fails the test.
void Collect(const SnapshotBatch& batch, SnapshotModel::Content* given) {
  batch.ForEach([&](const EntryView& entry) {
    const SnapshotModel::Name name(entry.db, entry.key);
    const bool first =
        given
            ->emplace(name, SnapshotModel::Value{SortedTextOf(entry.value), entry.expire_at_ms, {}})
            .second;
    EXPECT_TRUE(first) << name.first << ":" << name.second << " came twice";
  });
}

/// Expects that no entry is older than the epoch, and none is marked as newer by mistake: the next
/// snapshot depends on it.
void ExpectAllOfOneEpoch(Keyspace& keyspace) {
  for (int i = 0; i < keyspace.database_count(); ++i) {
    for (uint32_t s = 0; s < Database::kStripes; ++s) {
      Stripe& stripe = keyspace.db(i).stripe(s);
      MutexLock lock(stripe.mutex);
      stripe.table.ForEach([&](Entry* entry) {
        if (entry->epoch() == keyspace.snapshot().epoch()) return;
        ADD_FAILURE() << i << ":" << entry->key() << " is of another epoch";
      });
    }
  }
}

/// Makes random changes to the keyspace and to the model alike.
class Disorder {
 public:
  explicit Disorder(uint32_t seed) : random_(seed) {}

  Keyspace& keyspace() { return keyspace_; }
  SnapshotModel& model() { return model_; }
  int Below(int end) { return static_cast<int>(random_() % static_cast<uint32_t>(end)); }

  void Fill(int keys) {
    for (int i = 0; i < keys; ++i) SetOne();
  }

  /// Makes one random change, rarely one to a whole database.
  void Act() {
    const int kind = Below(1000);
    if (kind < 300) return SetOne();
    if (kind < 400) return Delete();
    if (kind < 500) return Append();
    if (kind < 600) return AddMembers();
    if (kind < 680) return Touch();
    if (kind < 750) return SetExpiry();
    if (kind < 820) return Transfer(Below(kDatabases), Below(kDatabases));
    if (kind < 850) return Copy();
    if (kind < 890) return Pass();
    if (kind < 893) return EvictSome();
    if (kind < 896) return ExpireAll();
    if (kind < 897) return Flush(Below(kDatabases));
    if (kind < 898) return GrowOrShrink();
    if (kind < 925) return Swap();
    if (kind == 999 && Below(6) == 0) {
      for (int db = 0; db < kDatabases; ++db) Flush(db);
    }
  }

 private:
  Database& db(int index) { return keyspace_.db(index); }
  int64_t now_ms() const { return clock_.now_ms; }
  std::string Key() { return "key" + std::to_string(Below(600)); }
  std::string Text() {
    // Small values, and some that are stored as a blob of their own.
    return std::string(static_cast<size_t>(Below(20) == 0 ? 3000 : 10 + Below(300)), 'a') +
           std::to_string(Below(1 << 30));
  }
  int64_t Expiry() { return Below(3) > 0 ? kNoExpiry : now_ms() + 1 + Below(300); }

  /// Calls `change` with the key open in the keyspace, and the model's value for it.
  template <typename Change>
  void Write(int index, const std::string& key, Change change) {
    Hold hold(0);
    ASSERT_TRUE(hold.TryKey(db(index), KeyHash::Of(key)));
    SnapshotModel::Value* value = model_.Open(index, key, now_ms());
    WriteScope scope(hold, db(index), key, KeyHash::Of(key), now_ms());
    ASSERT_EQ(scope.exists(), value != nullptr);
    change(scope, value);
  }

  void SetOne() {
    const int index = Below(kDatabases);
    const std::string key = Key();
    const std::string text = Text();
    const int64_t expiry = Expiry();
    Write(index, key, [&](WriteScope& scope, SnapshotModel::Value*) {
      if (scope.exists() && scope.type() != ValueType::kString) scope.Delete();
      MutableString(scope).Assign(text);
      scope.SetExpiry(expiry);
      scope.Changed("set");
      model_.Put(index, key, {text, expiry, {}});
    });
  }
  void Delete() {
    const int index = Below(kDatabases);
    const std::string key = Key();
    Write(index, key, [&](WriteScope& scope, SnapshotModel::Value*) {
      if (!scope.exists()) return;
      scope.Delete();
      scope.Changed("del");
      model_.Erase(index, key);
    });
  }
  void Append() {
    Write(Below(kDatabases), Key(), [&](WriteScope& scope, SnapshotModel::Value* value) {
      if (!scope.exists() || scope.type() != ValueType::kString) return;
      MutableString(scope).Append("more");
      scope.Changed("append");
      value->text += "more";
    });
  }
  /// Adds members to a set. Sets have key names of their own; some become tries.
  void AddMembers() {
    const int index = Below(kDatabases);
    const std::string key = "set" + std::to_string(Below(5));
    const int from = Below(400);
    Write(index, key, [&](WriteScope& scope, SnapshotModel::Value*) {
      const EncodingLimits limits;
      MutableSet set(scope, limits);
      for (int i = from; i < from + 40; ++i) set.Add("member" + std::to_string(i));
      scope.Changed("sadd");
      const Entry* entry = scope.entry();
      model_.Put(index, key, {SortedTextOf(entry->value()), kNoExpiry, {}});
    });
  }
  /// Reads a key: that removes an expired one, and changes nothing else.
  void Touch() {
    const int index = Below(kDatabases);
    const std::string key = Key();
    Hold hold(0);
    ASSERT_TRUE(hold.TryKey(db(index), KeyHash::Of(key)));
    const bool there = PeekKey(hold, db(index), key, KeyHash::Of(key), now_ms()) != nullptr;
    SnapshotModel::Value* value = model_.Find(index, key);
    if (!there) model_.LeaveOut(index, key);
    ASSERT_TRUE(!there || value != nullptr);
  }
  void SetExpiry() {
    const int64_t expiry = Expiry();
    Write(Below(kDatabases), Key(), [&](WriteScope& scope, SnapshotModel::Value* value) {
      if (!scope.exists()) return;
      scope.SetExpiry(expiry);
      scope.Changed("expire");
      value->expire_at_ms = expiry;
    });
  }

  template <typename Work>
  void Closed(int a, int b, Work work) {
    Hold hold(0);
    std::vector<Database*> dbs = {&db(std::min(a, b))};
    if (a != b) dbs.push_back(&db(std::max(a, b)));
    ASSERT_TRUE(hold.TryClose(dbs, false));
    work(hold);
  }
  /// RENAME, or MOVE under another name.
  void Transfer(int from, int to) {
    const std::string key = Key();
    const std::string target = Key();
    Closed(from, to, [&](Hold& hold) {
      if (from == to && key == target) return;
      SnapshotModel::Value* value = model_.Open(from, key, now_ms());
      std::optional<WriteScope> source(std::in_place, hold, db(from), key, KeyHash::Of(key),
                                       now_ms());
      if (value == nullptr) return;
      const SnapshotModel::Value moved = *value;
      Entry* entry = source->Detach();
      source->Changed("rename_from");
      source.reset();
      model_.Erase(from, key);
      model_.Open(to, target, now_ms());
      WriteScope scope(hold, db(to), target, KeyHash::Of(target), now_ms());
      scope.Adopt(*entry, entry->payload(), entry->expire_at_ms());
      scope.Changed("rename_to");
      model_.Put(to, target, moved);
      Entry::Destroy(entry);
    });
  }
  void Copy() {
    const int from = Below(kDatabases);
    const int to = Below(kDatabases);
    const std::string key = Key();
    const std::string target = Key();
    Closed(from, to, [&](Hold& hold) {
      if (from == to && key == target) return;
      const Entry* entry = PeekKey(hold, db(from), key, KeyHash::Of(key), now_ms());
      if (entry == nullptr) return model_.LeaveOut(from, key);
      KeepForLog(db(from), key, KeyHash::Of(key));
      const SnapshotModel::Value copied = *model_.Open(from, key, now_ms());
      const std::string payload = CopyPayload(entry->value());
      model_.Open(to, target, now_ms());
      WriteScope scope(hold, db(to), target, KeyHash::Of(target), now_ms());
      scope.Adopt(*entry, payload, entry->expire_at_ms());
      scope.Changed("copy_to");
      model_.Put(to, target, copied);
    });
  }
  void Swap() {
    const int a = Below(kDatabases);
    const int b = Below(kDatabases);
    if (a == b) return;
    Closed(a, b, [&](Hold& hold) { SwapDatabases(hold, db(a), db(b)); });
    model_.Swap(a, b);
  }
  void Flush(int index) {
    Closed(index, index, [&](Hold& hold) { FlushDatabase(hold, db(index)); });
    model_.Flush(index);
  }
  void Pass() { clock_.now_ms += Below(10); }
  void ExpireAll() {
    Expirer(keyspace_).Run([] { return true; });
    model_.Expire(now_ms());
  }
  void EvictSome() {
    keyspace_.settings().policy = EvictionPolicy::kAllKeysRandom;
    keyspace_.settings().maxmemory_bytes = 1;
    Evictor(keyspace_, 0).MakeRoom();
    keyspace_.settings().maxmemory_bytes = 0;
  }
  void GrowOrShrink() {
    const int index = Below(kDatabases);
    for (int i = 0; i < 3000; ++i) {
      const std::string key = "many" + std::to_string(i);
      Write(index, key, [&](WriteScope& scope, SnapshotModel::Value* value) {
        if (value == nullptr) {
          MutableString(scope).Assign("x");
          model_.Put(index, key, {"x", kNoExpiry, {}});
        } else {
          scope.Delete();
          model_.Erase(index, key);
        }
        scope.Changed("set");
      });
    }
  }

  TestClock clock_;
  Keyspace keyspace_{{.databases = kDatabases, .event_loops = 1}, clock_};
  SnapshotModel model_{kDatabases};
  EventLog events_{keyspace_, [this](int index, KeyEvent event, std::string_view key) {
                     if (event == KeyEvent("evicted")) model_.LeaveOut(index, std::string(key));
                     if (event == KeyEvent("expired"))
                       model_.Expire(index, std::string(key), now_ms());
                   }};
  std::mt19937 random_;
};

/// Takes the next snapshot, with this many changes between its steps; false if it failed for lack
/// of memory or was cancelled.
bool TakeOne(Disorder& disorder, int acts, bool cancel_it) {
  Snapshot& snapshot = disorder.keyspace().snapshot();
  disorder.model().BeginSnapshot();
  const Snapshot::Facts facts = *snapshot.Begin({.max_pre_image_bytes = kNoLimit}, [] {});
  EXPECT_EQ(facts.keys, disorder.model().keys());
  SnapshotModel::Content given;
  SnapshotBatch batch;
  for (int step = 0;; ++step) {
    for (int i = 0; i < acts; ++i) disorder.Act();
    if (cancel_it && step == 3) break;
    const Snapshot::Step now = snapshot.Next(&batch);
    if (snapshot.failure() != Snapshot::Failure::kNone) break;
    if (now == Snapshot::Step::kEnd) {
      EXPECT_EQ(disorder.model().Difference(given), "");
      return true;
    }
    EXPECT_EQ(now, Snapshot::Step::kGave);
    Collect(batch, &given);
  }
  if (!cancel_it) {
    EXPECT_EQ(snapshot.failure(), Snapshot::Failure::kMemoryNeeded);
  }
  snapshot.Cancel();
  return false;
}

TEST(SnapshotModelTest, IsTheCopyOfTheInstantWhateverIsDoneBetweenItsSteps) {
  constexpr uint32_t kSeeds = 6;
  int whole = 0;
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Disorder disorder(seed);
    disorder.Fill(1500);
    for (int round = 0; round < 4; ++round) {
      whole += TakeOne(disorder, /*acts=*/5 << disorder.Below(6), disorder.Below(8) == 0) ? 1 : 0;
      ExpectAllOfOneEpoch(disorder.keyspace());
      // Without changes it is exact: anything that the last snapshot left behind would show.
      ASSERT_TRUE(TakeOne(disorder, /*acts=*/0, false));
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }
  EXPECT_GT(whole, static_cast<int>(kSeeds)) << "most of them come to their end";
}

class SnapshotStormTest : public testing::Test {
 protected:
  static constexpr int kTokens = 3000;
  static constexpr int kThreads = 3;
  static constexpr int kScratch = 3;  ///< a database where keys are added and removed

  static std::string Token(int i) {
    return "token" + std::to_string(i) + std::string(static_cast<size_t>(i % 90), 'x');
  }

  void Put(GateSlot slot, int index, const std::string& key, int64_t expire_at_ms = kNoExpiry) {
    Hold hold(slot);
    if (!hold.TryKey(keyspace_.db(index), KeyHash::Of(key))) return;
    WriteScope scope(hold, keyspace_.db(index), key, KeyHash::Of(key), clock_.now_ms);
    MutableString(scope).Assign("1");
    scope.SetExpiry(expire_at_ms);
    scope.Changed("set");
  }
  void Move(GateSlot slot, const std::string& key, int from, int to) {
    Database* dbs[] = {&keyspace_.db(std::min(from, to)), &keyspace_.db(std::max(from, to))};
    Hold hold(slot);
    if (!hold.TryClose(dbs, false)) return;
    std::optional<WriteScope> source(std::in_place, hold, keyspace_.db(from), key, KeyHash::Of(key),
                                     clock_.now_ms);
    if (!source->exists()) return;
    Entry* entry = source->Detach();
    source->Changed("move_from");
    source.reset();
    WriteScope scope(hold, keyspace_.db(to), key, KeyHash::Of(key), clock_.now_ms);
    scope.Adopt(*entry, entry->payload(), entry->expire_at_ms());
    scope.Changed("move_to");
    Entry::Destroy(entry);
  }
  void Close(GateSlot slot, std::vector<Database*> dbs, auto work) {
    Hold hold(slot);
    if (hold.TryClose(dbs, false)) work(hold);
  }

  void Disturb(GateSlot slot) {
    MemoryMeter::RegisterThread();
    std::mt19937 random(static_cast<uint32_t>(slot));
    const auto below = [&](int end) { return static_cast<int>(random() % uint32_t(end)); };
    while (!stop_) {
      const int from = below(kScratch);
      const int to = (from + 1 + below(kScratch - 1)) % kScratch;
      Database& scratch = keyspace_.db(kScratch);
      switch (below(10)) {
        case 0:
        case 8:
        case 9:
          Close(slot, {&keyspace_.db(std::min(from, to)), &keyspace_.db(std::max(from, to))},
                [&](Hold& hold) { SwapDatabases(hold, keyspace_.db(from), keyspace_.db(to)); });
          break;
        case 1:
          if (below(20) == 0)
            Close(slot, {&scratch}, [&](Hold& hold) { FlushDatabase(hold, scratch); });
          break;
        case 2:
          clock_.now_ms += 1;
          break;
        case 3:
        case 4:
          Move(slot, Token(below(kTokens)), from, to);
          break;
        case 5:
          Put(slot, from, "token");  // changes a token, or adds a key that is none
          break;
        default:
          Put(slot, kScratch, "scratch" + std::to_string(below(3000)), clock_.now_ms + below(30));
      }
    }
  }
  void ExpireOnAndOn() {
    MemoryMeter::RegisterThread();
    Expirer expirer(keyspace_);
    while (!stop_) expirer.Run([&] { return !stop_; });
  }

  /// The tokens that a snapshot holds, and how often each.
  std::map<std::string, int> TakeSnapshot() {
    Snapshot& snapshot = keyspace_.snapshot();
    snapshot.Begin({.max_pre_image_bytes = kNoLimit}, [] {});
    std::map<std::string, int> tokens;
    SnapshotBatch batch;
    for (Snapshot::Step step; (step = snapshot.Next(&batch)) != Snapshot::Step::kEnd;) {
      if (step == Snapshot::Step::kBusy) {
        std::this_thread::yield();
        continue;
      }
      batch.ForEach([&](const EntryView& entry) {
        if (entry.db != kScratch && entry.key != "token") ++tokens[std::string(entry.key)];
      });
    }
    EXPECT_EQ(snapshot.failure(), Snapshot::Failure::kNone);
    return tokens;
  }

  TestClock clock_;
  Keyspace keyspace_{{.databases = kScratch + 1, .event_loops = kThreads}, clock_};
  std::atomic<bool> stop_ = false;
};

TEST_F(SnapshotStormTest, EveryTokenIsInItOnceWhileThreadsSwapMoveFlushAndExpire) {
  MemoryMeter::RegisterThread();
  for (int i = 0; i < kTokens; ++i) Put(0, i % kScratch, Token(i));
  std::vector<std::thread> threads;
  for (GateSlot slot = 0; slot < kThreads; ++slot) {
    threads.emplace_back([this, slot] { Disturb(slot); });
  }
  threads.emplace_back([this] { ExpireOnAndOn(); });
  for (int round = 0; round < 30; ++round) {
    const std::map<std::string, int> tokens = TakeSnapshot();
    EXPECT_EQ(tokens.size(), size_t{kTokens});
    for (const auto& [key, times] : tokens) EXPECT_EQ(times, 1) << key;
    if (HasFailure()) break;
  }
  stop_ = true;
  for (std::thread& thread : threads) thread.join();
  ExpectAllOfOneEpoch(keyspace_);
}

}  // namespace
}  // namespace cloakroom
