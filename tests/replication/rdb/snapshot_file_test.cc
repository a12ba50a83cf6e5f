#include "replication/rdb/snapshot_file.h"

#include <gmock/gmock.h>

#include <climits>
#include <thread>
#include <utility>

#include "replication/rdb/rdb_loader.h"
#include "storage/access/flush.h"
#include "storage/snapshot/snapshot.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/storage/support/test_keyspace.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

const SnapshotPlace kPlace{.path = "dump.rdb", .temporary_path = "temp.rdb"};

class SnapshotFileTest : public KeyspaceTest {
 protected:
  SnapshotFileTest() {
    EXPECT_OK(files_.MakeDirectory("."));
    for (int i = 0; i < 20; ++i) Set(db(i % 2), "key" + std::to_string(i), "old");
  }

  absl::StatusOr<SnapshotFileFacts> Save(const SnapshotOptions& options = {}) {
    return WriteSnapshotFile(
        keyspace_, files_, kPlace, options,
        [] { return RdbAuxFields{{std::string(kScriptAux), "return 1"}}; }, [] { return false; });
  }

  /// The number of keys that a restart would load.
  size_t Load(const std::string& path, std::vector<std::string>* aux = nullptr) {
    Keyspace loaded({.databases = 3, .event_loops = 1}, clock_);
    RdbLoadOptions options;
    options.aux = [&](std::string_view name, std::string_view value) {
      if (aux != nullptr) aux->push_back(std::string(name) + "=" + std::string(value));
    };
    RdbLoadResult result = LoadRdb(files_, path, loaded, options);
    EXPECT_TRUE(result.ok()) << (result.error ? result.error->Text() : "");
    return result.keys;
  }

  FaultyFiles files_;
};

TEST_F(SnapshotFileTest, HoldsTheKeyspaceAndTheAuxFields) {
  const auto result = Save();
  ASSERT_OK(result);
  EXPECT_EQ(result->keys, 20u);
  EXPECT_THAT(files_.Paths(), testing::ElementsAre("dump.rdb"));
  EXPECT_EQ(result->bytes, *files_.Size("dump.rdb"));
  std::vector<std::string> aux;
  EXPECT_EQ(Load("dump.rdb", &aux), 20u);
  EXPECT_THAT(aux, testing::Contains("cloakroom-script=return 1"));
}

TEST_F(SnapshotFileTest, IsThereAfterACrash) {
  ASSERT_OK(Save());
  files_.Crash();
  EXPECT_EQ(Load("dump.rdb"), 20u);
}

TEST_F(SnapshotFileTest, TheOldestVersionThatHoldsTheDataIsWritten) {
  ASSERT_OK(Save());
  EXPECT_EQ(files_.Content("dump.rdb")->substr(0, 9), "REDIS0010");
  Write(db(), "hash", [&](WriteScope& scope) {
    EncodingLimits limits;
    MutableHash hash(scope, limits);
    hash.Set("field", "value", now_ms());
    hash.SetFieldExpiry("field", now_ms() + 1000, now_ms());
    scope.Changed("hset");
  });
  ASSERT_OK(Save());
  EXPECT_EQ(files_.Content("dump.rdb")->substr(0, 9), "REDIS0012");
  EXPECT_FALSE(Save({.version = 10}).ok()) << "which has no expiry of fields";
  EXPECT_EQ(Load("dump.rdb"), 21u) << "the old file stays";
}

TEST_F(SnapshotFileTest, WhateverFailsTheOldOrTheNewFileIsThere) {
  ASSERT_OK(Save());
  Set(db(), "new", "1");
  int faults = 0;
  for (int n = 1;; ++n) {
    files_.FailNth(n);
    const auto result = Save();
    const bool failed = files_.Failed();
    files_.Heal();
    if (!failed) {
      EXPECT_OK(result);
      break;
    }
    ++faults;
    EXPECT_FALSE(result.ok()) << "call " << n << " failed, and nobody was told";
    files_.Crash();
    EXPECT_OK(files_.MakeDirectory("."));
    const size_t keys = Load("dump.rdb");
    EXPECT_TRUE(keys == 20 || keys == 21) << "call " << n;
    EXPECT_FALSE(keyspace_.snapshot().active());
  }
  EXPECT_GE(faults, 5) << "create, write, sync, rename, sync of the directory";
  EXPECT_EQ(Load("dump.rdb"), 21u);
}

TEST_F(SnapshotFileTest, AFullDiskIsSaidAndLeavesNoTemporaryFile) {
  files_.SetCapacity(30);
  EXPECT_THAT(Save(), FailsWith(testing::HasSubstr("No space left on device")));
  EXPECT_THAT(files_.Paths(), testing::IsEmpty());
}

TEST_F(SnapshotFileTest, CollectsOnTheCallersThreadAndWritesOnAnother) {
  const std::thread::id mine = std::this_thread::get_id();
  std::thread::id writing = mine;
  int begun = 0;
  SnapshotOptions options;
  options.begin_writing = [&] {
    writing = std::this_thread::get_id();
    ++begun;
  };
  ASSERT_OK(Save(options));
  EXPECT_EQ(begun, 1);
  EXPECT_NE(writing, mine);
}

TEST_F(SnapshotFileTest, WhoFlushesAndNeedsTheMemoryHasItBeginAgain) {
  bool flushed = false;
  const auto flush = [&] {
    // Between the instant and the first entry.
    if (std::exchange(flushed, true)) return false;
    Hold hold(kSlot);
    Database* closed[] = {&db(0)};
    EXPECT_TRUE(hold.TryClose(closed, false));
    FlushDatabase(hold, db(0));
    hold.Release();
    EXPECT_TRUE(keyspace_.snapshot().FreeFlushedTables());
    return false;
  };
  const auto no_aux = [] { return RdbAuxFields(); };
  EXPECT_TRUE(
      absl::IsAborted(WriteSnapshotFile(keyspace_, files_, kPlace, {}, no_aux, flush).status()))
      << "begin again";
  EXPECT_THAT(files_.Paths(), testing::IsEmpty());
  EXPECT_OK(WriteSnapshotFile(keyspace_, files_, kPlace, {}, no_aux, flush));
  EXPECT_EQ(Load("dump.rdb"), 10u);
}

TEST_F(SnapshotFileTest, ADelayOfKeysEndsWhenItIsStopped) {
  SnapshotOptions options;
  options.key_delay_us = INT_MAX;  // half an hour
  int asked = 0;
  const auto result = WriteSnapshotFile(
      keyspace_, files_, kPlace, options, [] { return RdbAuxFields(); },
      [&] { return ++asked > 1; });
  EXPECT_TRUE(absl::IsCancelled(result.status()));
  EXPECT_FALSE(keyspace_.snapshot().active());
}

TEST_F(SnapshotFileTest, AsCommands) {
  ASSERT_OK(Save({.as_commands = true}));
  const std::string text = *files_.Content("dump.rdb");
  EXPECT_TRUE(text.starts_with("*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n"));
  EXPECT_THAT(text, testing::HasSubstr("*3\r\n$3\r\nSET\r\n$4\r\nkey7\r\n$3\r\nold\r\n"));
}

}  // namespace
}  // namespace cloakroom
