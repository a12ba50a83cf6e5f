#include "replication/stream/change_words.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "storage/access/flush.h"
#include "storage/access/lookup.h"
#include "storage/access/string_store.h"
#include "storage/base/memory_meter.h"
#include "storage/upkeep/expirer.h"
#include "storage/values/hash.h"
#include "storage/values/mutable_stream.h"
#include "storage/values/set.h"
#include "tests/storage/support/key_apart.h"
#include "tests/storage/support/test_keyspace.h"

namespace cloakroom {
namespace {

/// "0 SET a 1; 0 DEL b | " for two commands in one batch.
class TextLog final : public ChangeLog {
 public:
  ChangePlace Reserve(const ChangeBatch& batch, SeenOffset*, GateSlot) override {
    ++appended_;
    shown_ = batch.awaited();
    batch.ForEach([&](const Change& change) {
      ForEachCommand(change, OldestReader::kRedis7, [&](std::span<const std::string_view> words) {
        text_ += std::to_string(change.db);
        for (std::string_view word : words) text_.append(" ").append(word);
        text_ += "; ";
      });
    });
    text_ += "| ";
    return {.end = appended_};
  }
  void Complete(const ChangeBatch&, const ChangePlace&) override {}
  int64_t appended() const override { return appended_; }

  using ChangeLog::set_readers_wait;
  std::string Take() { return std::exchange(text_, ""); }
  /// Whether somebody waits for the last batch.
  bool awaited() const { return shown_; }

 private:
  std::string text_;
  int64_t appended_ = 0;  ///< batches
  bool shown_ = false;
};

class ChangeLogTest : public KeyspaceTest {
 protected:
  ChangeLogTest() { keyspace_.feed().set_log(&log_); }

  template <typename Change>
  std::string Logged(std::string_view key, Change change) {
    Write(db(), key, [&](WriteScope& scope) {
      change(scope);
      scope.Changed("test");
    });
    return log_.Take();
  }
  template <typename Change>
  std::string LoggedOfString(Change change) {
    return Logged("k", [&](WriteScope& scope) {
      MutableString string(scope);
      change(string);
    });
  }
  template <typename Change>
  std::string LoggedOfHash(Change change) {
    return Logged("h", [&](WriteScope& scope) {
      MutableHash hash(scope, limits_);
      change(hash);
    });
  }

  TextLog log_;
  EncodingLimits limits_;
};

TEST_F(ChangeLogTest, AStringIsSet) {
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.Assign("v"); }), "0 SET k v; | ");
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.AssignInteger(12); }), "0 SET k 12; | ");
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.Append("3"); }), "0 SETRANGE k 2 3; | ");
}

TEST_F(ChangeLogTest, AnIntegerBecomesRawByAppendingNothing) {
  LoggedOfString([](MutableString& s) { s.AssignInteger(12); });
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.Append(""); }), "0 APPEND k ; | ");
}

TEST_F(ChangeLogTest, WhatOnlyMakesAnIntegerRawIsNotLogged) {
  LoggedOfString([](MutableString& s) { s.AssignInteger(12); });
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.MakeRoom(0); }), "");
}

TEST_F(ChangeLogTest, ASmallChangeOfALongStringIsSaidAsThat) {
  std::string text(100, 'x');
  LoggedOfString([&](MutableString& s) { s.Assign(text); });
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.Append("end"); }), "0 SETRANGE k 100 end; | ");
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.SetRange(5, "ab"); }), "0 SETRANGE k 5 ab; | ");
  EXPECT_EQ(LoggedOfString([](MutableString& s) {
              s.MakeRoom(8)[7] = '7';
              s.Wrote(7, 1);
            }),
            "0 SETRANGE k 7 7; | ");
}

TEST_F(ChangeLogTest, PaddingIsSaidByItsLastByte) {
  LoggedOfString([&](MutableString& s) { s.Assign("abc"); });
  EXPECT_EQ(LoggedOfString([](MutableString& s) { s.MakeRoom(1000); }),
            std::string("0 SETRANGE k 999 \0; | ", 22));
}

TEST_F(ChangeLogTest, TimesAreAbsoluteAndPartOfASet) {
  std::string later = std::to_string(now_ms() + 1000);
  EXPECT_EQ(Logged("k", [&](WriteScope& s) { StoreString(s, "v", now_ms() + 1000); }),
            "0 SET k v PXAT " + later + "; | ");
  EXPECT_EQ(Logged("k", [&](WriteScope& s) { s.SetExpiry(now_ms() + 1000); }), "")
      << "the same as before is no change";
  EXPECT_EQ(Logged("k", [&](WriteScope& s) { s.SetExpiry(now_ms() + 2000); }),
            "0 PEXPIREAT k " + std::to_string(now_ms() + 2000) + "; | ");
  EXPECT_EQ(Logged("k", [&](WriteScope& s) { s.SetExpiry(kNoExpiry); }), "0 PERSIST k; | ");
}

TEST_F(ChangeLogTest, DeletedAndExpiredKeysAreDeleted) {
  Set(db(), "k", "v", now_ms() + 10);
  log_.Take();
  Advance(20);
  EXPECT_FALSE(Exists(db(), "k"));
  EXPECT_EQ(log_.Take(), "0 DEL k; | ");
  Set(db(1), "k", "v");
  log_.Take();
  Delete(db(1), "k");
  EXPECT_EQ(log_.Take(), "1 DEL k; | ");
}

TEST_F(ChangeLogTest, AStreamsEntriesAreLoggedWithTheirIds) {
  const auto logged = [this](auto change) {
    return Logged("s", [&](WriteScope& scope) {
      MutableStream stream(scope, limits_);
      change(stream);
    });
  };
  const std::vector<std::string_view> words = {"f", "v"};
  EXPECT_EQ(logged([&](MutableStream& s) { s.Append({1, 2}, words); }), "0 XADD s 1-2 f v; | ");
  logged([&](MutableStream& s) { s.Append({2, 0}, words); });
  logged([&](MutableStream& s) { s.Append({3, 0}, words); });
  EXPECT_EQ(logged([](MutableStream& s) {
              s.Erase({1, 2});
              s.Erase({2, 0});
              s.Erase({9, 9});
            }),
            "0 XDEL s 1-2 2-0; | ");
  EXPECT_EQ(logged([](MutableStream& s) { s.Trim({.max_size = 0}); }), "0 XTRIM s MAXLEN 0; | ");
  EXPECT_EQ(logged([](MutableStream& s) { s.SetIds({9, 0}, 7, std::nullopt); }),
            "0 XSETID s 9-0 ENTRIESADDED 7 MAXDELETEDID 2-0; | ");
}

TEST_F(ChangeLogTest, AStreamsGroupsAreLoggedAsResults) {
  const std::vector<StreamId> ids = {{1, 0}, {2, 0}};
  EXPECT_EQ(Logged("s",
                   [&](WriteScope& scope) {
                     MutableStream stream(scope, limits_);
                     stream.Create();
                     stream.CreateGroup("g", {0, 0}, -1);
                     MutableStreamGroup group(stream, "g");
                     group.CreateConsumer("c", 1);
                     group.Claim("c", ids, 5, 3);
                     group.SetPosition({2, 0}, 2);
                     group.Acknowledge(ids);
                     group.DeleteConsumer("c");
                     stream.DestroyGroup("g");
                   }),
            "0 XGROUP CREATE s g 0-0 MKSTREAM ENTRIESREAD -1; 0 XGROUP CREATECONSUMER s g c; "
            "0 XCLAIM s g c 0 1-0 2-0 TIME 5 RETRYCOUNT 3 FORCE JUSTID; "
            "0 XGROUP SETID s g 2-0 ENTRIESREAD 2; 0 XACK s g 1-0 2-0; "
            "0 XGROUP DELCONSUMER s g c; 0 XGROUP DESTROY s g; | ");
}

TEST_F(ChangeLogTest, FieldsOfOneScopeAreOneCommand) {
  EXPECT_EQ(LoggedOfHash([&](MutableHash& hash) {
              hash.Set("a", "1", now_ms());
              hash.Set("b", "2", now_ms());
            }),
            "0 HSET h a 1 b 2; | ");
  EXPECT_EQ(LoggedOfHash([&](MutableHash& hash) {
              hash.Erase("a", now_ms());
              hash.Erase("none", now_ms());
              hash.Erase("b", now_ms());
            }),
            "0 HDEL h a b; | ");
}

TEST_F(ChangeLogTest, FieldsThatStayWhatTheyWereAreNotLogged) {
  LoggedOfHash([&](MutableHash& hash) { hash.Set("data", std::string(2000, 'x'), now_ms()); });
  EXPECT_EQ(LoggedOfHash([&](MutableHash& hash) {
              hash.Set("data", std::string(2000, 'x'), now_ms());
              hash.Set("lock", "0", now_ms());
            }),
            "0 HSET h lock 0; | ");
}

TEST_F(ChangeLogTest, FieldsThatExpire) {
  std::string later = std::to_string(now_ms() + 5);
  LoggedOfHash([&](MutableHash& hash) { hash.Set("a", "1", now_ms()); });
  EXPECT_EQ(
      LoggedOfHash([&](MutableHash& hash) { hash.SetFieldExpiry("a", now_ms() + 5, now_ms()); }),
      "0 HPEXPIREAT h " + later + " FIELDS 1 a; | ");
  EXPECT_EQ(LoggedOfHash([&](MutableHash& hash) {
              hash.Set("a", "2", now_ms(), MutableHash::Expiry::kKeep);
            }),
            "0 HSET h a 2; 0 HPEXPIREAT h " + later + " FIELDS 1 a; | ");
  EXPECT_EQ(LoggedOfHash([&](MutableHash& hash) { hash.PersistField("a", now_ms()); }),
            "0 HPERSIST h FIELDS 1 a; | ");
  LoggedOfHash([&](MutableHash& hash) { hash.SetFieldExpiry("a", now_ms() + 5, now_ms()); });
  Advance(10);
  EXPECT_EQ(LoggedOfHash([&](MutableHash& hash) { hash.EraseExpired(now_ms(), 100); }),
            "0 HDEL h a; | ");
}

TEST_F(ChangeLogTest, MembersOfASet) {
  auto logged = [&](auto change) {
    return Logged("s", [&](WriteScope& scope) {
      MutableSet set(scope, limits_);
      change(set);
    });
  };
  EXPECT_EQ(logged([](MutableSet& set) {
              set.Add("1");
              set.Add("x");
              set.Add("x");
            }),
            "0 SADD s 1 x; | ");
  EXPECT_EQ(logged([](MutableSet& set) {
              set.Remove("none");
              set.Remove("x");
              set.Add("y");
            }),
            "0 SREM s x; 0 SADD s y; | ");
}

TEST_F(ChangeLogTest, AScopeMaySayItInOtherWords) {
  const std::string_view command[] = {"RENAME", "a", "b"};
  EXPECT_EQ(Logged("b",
                   [&](WriteScope& scope) {
                     scope.LogAs(0, command);
                     MutableString(scope).Assign("from a");
                   }),
            "0 RENAME a b; | ");
}

TEST_F(ChangeLogTest, OneHoldIsOneBatch) {
  KeyHash keys[] = {KeyHash::Of("a"), KeyHash::Of("b")};
  {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKeys(db(), keys));
    for (std::string_view key : {"a", "b"}) {
      WriteScope scope(hold, db(), key, KeyHash::Of(key), now_ms());
      MutableString(scope).Assign("1");
      scope.Changed("set");
    }
    EXPECT_EQ(log_.Take(), "") << "only when the hold ends";
  }
  EXPECT_EQ(log_.Take(), "0 SET a 1; 0 SET b 1; | ");
}

TEST_F(ChangeLogTest, WhatIsAbandonedIsNotLoggedNorWhatFollowsInItsHold) {
  KeyHash keys[] = {KeyHash::Of("a"), KeyHash::Of("b")};
  for (bool abandoned : {true, false}) {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryKeys(db(), keys));
    for (std::string_view key : {"a", "b"}) {
      WriteScope scope(hold, db(), key, KeyHash::Of(key), now_ms());
      MutableString(scope).Assign("1");
      scope.Changed("set");
      if (abandoned) hold.changes()->Abandon();
    }
    hold.Release();
    EXPECT_EQ(log_.Take(), abandoned ? "" : "0 SET a 1; 0 SET b 1; | ");
  }
}

TEST_F(ChangeLogTest, UnderAPassEachChangeStandsForItself) {
  Set(db(), "a", "1", now_ms() + 1);
  Set(db(1), "b", "1");
  log_.Take();
  Advance(5);
  Hold outer(kSlot);
  Database* closed[] = {&db(1)};
  ASSERT_TRUE(outer.TryClose(closed, false));
  {
    // As when a busy script lets other clients run: their changes must not wait for its end.
    Hold pass(kSlot);
    ASSERT_TRUE(pass.TryPass(db()));
    Stripe& stripe = db().StripeOf(KeyHash::Of("a"));
    MutexLock lock(stripe.mutex);
    EXPECT_EQ(PeekKey(pass, db(), "a", KeyHash::Of("a"), now_ms()), nullptr);
    EXPECT_EQ(log_.Take(), "0 DEL a; | ");
  }
  FlushDatabase(outer, db(1));
  EXPECT_EQ(log_.Take(), "");
  outer.Release();
  EXPECT_EQ(log_.Take(), "1 FLUSHDB; | ");
}

TEST_F(ChangeLogTest, WholeDatabases) {
  Hold hold(kSlot);
  Database* closed[] = {&db(0), &db(1), &db(2)};
  ASSERT_TRUE(hold.TryClose(closed, false));
  SwapDatabases(hold, db(0), db(2));
  FlushAll(hold, keyspace_);
  hold.Release();
  EXPECT_EQ(log_.Take(), "0 SWAPDB 0 2; 0 FLUSHALL; | ");
}

// ---- who reads

/// A log whose readers wait for the disk.
class ReadersWaitTest : public ChangeLogTest {
 protected:
  ReadersWaitTest() {
    log_.set_readers_wait(true);
    holds_ = &context_;
  }
  /// The highest offset that a hold has seen since the last call.
  int64_t TakeSeen() { return std::exchange(seen_.offset, 0); }

  int64_t SeenByReader(Database& database, std::string_view key) {
    TakeSeen();
    Exists(database, key);
    return TakeSeen();
  }
  template <typename Act>
  void Alone(Database& database, Act act) {
    Hold hold(kSlot, holds_);
    Database* closed[] = {&database};
    ASSERT_TRUE(hold.TryClose(closed, false));
    act();
  }

  SeenOffset seen_;
  HoldContext context_{.seen = &seen_};
};

TEST_F(ReadersWaitTest, AReaderSeesTheOffsetOfItsStripesLastChange) {
  EXPECT_EQ(SeenByReader(db(), "a"), 0);
  Set(db(), "a", "1");
  Set(db(), "a", "2");
  const int64_t written = log_.appended();
  EXPECT_EQ(written, 2);
  Set(db(1), "a", "3");
  EXPECT_EQ(SeenByReader(db(), "a"), written);
  EXPECT_EQ(SeenByReader(db(), KeyApartFrom({"a"})), 0);
}

TEST_F(ReadersWaitTest, WhoReadsNeedNotSeeWhereNobodyWaits) {
  log_.set_readers_wait(false);
  Set(db(), "a", "1");
  EXPECT_EQ(SeenByReader(db(), "a"), 0);
}

TEST_F(ReadersWaitTest, ChangesUnderAClosedGateAreSeenInAllOfTheirDatabases) {
  {
    Hold hold(kSlot);
    Database* closed[] = {&db(0), &db(2)};
    ASSERT_TRUE(hold.TryClose(closed, false));
    SwapDatabases(hold, db(0), db(2));
  }
  EXPECT_EQ(SeenByReader(db(0), "a"), 1);
  EXPECT_EQ(SeenByReader(db(2), "a"), 1);
  EXPECT_EQ(SeenByReader(db(1), "a"), 0);
}

TEST_F(ReadersWaitTest, WhoClosesAGateSeesAllThatWasLogged) {
  Set(db(), "a", "1");
  TakeSeen();
  Alone(db(), [] {});
  EXPECT_EQ(TakeSeen(), 1);
}

TEST_F(ReadersWaitTest, WhatIsReadUnderAPassAloneIsSeenStripeByStripe) {
  absl::InsecureBitGen random;
  const std::string apart = KeyApartFrom({"a"});
  Set(db(), "a", "1");
  Set(db(), apart, "1");
  Delete(db(), apart);
  Hold hold(kSlot, holds_);
  ASSERT_TRUE(hold.TryPass(db()));
  TakeSeen();
  db().RandomKey(hold, random, now_ms());
  EXPECT_EQ(TakeSeen(), 1) << "of the key";
  db().Scan(hold, 0, 1000, [](const Entry&) {});
  EXPECT_EQ(TakeSeen(), 3) << "that there is no other";
  EXPECT_TRUE(db().TrySeeAll(hold));
  EXPECT_EQ(TakeSeen(), 3);
}

TEST_F(ReadersWaitTest, WhatTimeDoesIsNotWaitedFor) {
  Set(db(), "a", "1", now_ms() + 10);
  Advance(20);
  EXPECT_EQ(SeenByReader(db(), "a"), 1);
  EXPECT_EQ(log_.appended(), 2) << "its DEL";
  EXPECT_FALSE(log_.awaited());
  EXPECT_EQ(SeenByReader(db(), "a"), 1);
}

TEST_F(ReadersWaitTest, FieldsThatTheExpirerRemovesAreNotWaitedFor) {
  LoggedOfHash([&](MutableHash& hash) {
    hash.Set("f", "1", now_ms());
    hash.SetFieldExpiry("f", now_ms() + 10, now_ms());
  });
  const int64_t written = log_.appended();
  Advance(20);
  EXPECT_EQ(Expirer(keyspace_).Run([] { return true; }), 1U);
  EXPECT_GT(log_.appended(), written);
  EXPECT_EQ(SeenByReader(db(), "h"), written);
}

TEST_F(ReadersWaitTest, AnEvictedKeyIsWaitedFor) {
  Set(db(), "a", "1");
  {
    Hold hold(kSlot);
    ASSERT_TRUE(hold.TryPass(db()));
    Stripe& stripe = db().StripeOf(KeyHash::Of("a"));
    MutexLock lock(stripe.mutex);
    WriteScope scope(hold, db(), "a", KeyHash::Of("a"), now_ms());
    scope.Delete();
    scope.Changed("evicted");
  }
  EXPECT_EQ(SeenByReader(db(), "a"), 2);
}

TEST_F(ChangeLogTest, NobodyKeepsChangesWithoutALog) {
  keyspace_.feed().set_log(nullptr);
  Set(db(), "a", "1");
  EXPECT_EQ(log_.Take(), "");
}

/// One change in the words of each version, with " | " between commands.
std::string Worded(OldestReader oldest, ChangeKind kind, std::vector<std::string_view> words,
                   int64_t number = kNoExpiry) {
  ChangeBatch batch;
  batch.Add(0, kind, std::span<const std::string_view>(words), number);
  std::string text;
  size_t commands = 0;
  batch.ForEach([&](const Change& change) {
    ForEachCommand(change, oldest, [&](std::span<const std::string_view> command) {
      if (commands++ > 0) text += " | ";
      for (const std::string_view word : command) text.append(word).append(" ");
    });
    EXPECT_EQ(commands, CommandCount(change, oldest));
  });
  return text;
}

TEST(OldWordsTest, StringsThatExpire) {
  const auto worded = [](OldestReader oldest) {
    return Worded(oldest, ChangeKind::kSetString, {"k", "v"}, 99);
  };
  EXPECT_EQ(worded(OldestReader::kRedis62), "SET k v PXAT 99 ");
  EXPECT_EQ(worded(OldestReader::kRedis5), "SET k v  | PEXPIREAT k 99 ");
  EXPECT_EQ(Worded(OldestReader::kRedis5, ChangeKind::kSetString, {"k", "v"}), "SET k v ");
}

TEST(OldWordsTest, Pops) {
  const auto worded = [](OldestReader oldest, ChangeKind kind, int64_t count) {
    return Worded(oldest, kind, {"k"}, count);
  };
  EXPECT_EQ(worded(OldestReader::kRedis62, ChangeKind::kPopFront, 3), "LPOP k 3 ");
  EXPECT_EQ(worded(OldestReader::kRedis5, ChangeKind::kPopFront, 3), "LTRIM k 3 -1 ");
  EXPECT_EQ(worded(OldestReader::kRedis5, ChangeKind::kPopBack, 3), "LTRIM k 0 -4 ");
  EXPECT_EQ(worded(OldestReader::kRedis5, ChangeKind::kPopFront, 1), "LPOP k ");
  EXPECT_EQ(worded(OldestReader::kRedis5, ChangeKind::kPopBack, 1), "RPOP k ");
}

TEST(OldWordsTest, ChangesWithinAList) {
  const auto worded = [](ChangeKind kind, std::initializer_list<std::string_view> words,
                         int64_t number) {
    return Worded(OldestReader::kRedis5, kind, words, number);
  };
  EXPECT_EQ(worded(ChangeKind::kInsertElement, {"k", "old", "new"}, 0),
            "LINSERT k BEFORE old new ");
  EXPECT_EQ(worded(ChangeKind::kInsertElement, {"k", "old", "new"}, 1), "LINSERT k AFTER old new ");
  EXPECT_EQ(worded(ChangeKind::kEraseElements, {"k", "a"}, -2), "LREM k -2 a ");
  EXPECT_EQ(worded(ChangeKind::kTrimElements, {"k", "1", "-2"}, 0), "LTRIM k 1 -2 ");
}

TEST(OldWordsTest, StreamsAndTheirGroups) {
  for (const OldestReader oldest : {OldestReader::kRedis62, OldestReader::kRedis5}) {
    EXPECT_EQ(Worded(oldest, ChangeKind::kSetStreamIds, {"x", "5-1", "7", "4-0"}), "XSETID x 5-1 ");
    EXPECT_EQ(Worded(oldest, ChangeKind::kCreateGroup, {"x", "g", "0-0", "3"}),
              "XGROUP CREATE x g 0-0 MKSTREAM ");
    EXPECT_EQ(Worded(oldest, ChangeKind::kSetGroup, {"x", "g", "2-0", "3"}),
              "XGROUP SETID x g 2-0 ");
  }
  EXPECT_EQ(Worded(OldestReader::kRedis62, ChangeKind::kCreateConsumer, {"x", "g", "c"}),
            "XGROUP CREATECONSUMER x g c ");
  EXPECT_EQ(Worded(OldestReader::kRedis5, ChangeKind::kCreateConsumer, {"x", "g", "c"}), "");
}

}  // namespace
}  // namespace cloakroom
