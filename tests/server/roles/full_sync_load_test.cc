#include "server/roles/full_sync_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "server/persistence/persistence.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using testing::HasSubstr;

/// An RDB without a checksum, with one string.
std::string RdbWith(std::string_view key, std::string_view value) {
  std::string rdb = "REDIS0009";
  rdb += std::string("\xfa\x0erepl-stream-db\x01", 17) + "2";
  rdb += std::string("\xfe\x00\x00", 3);
  rdb.push_back(static_cast<char>(key.size()));
  rdb += key;
  rdb.push_back(static_cast<char>(value.size()));
  rdb += value;
  return rdb + "\xff" + std::string(8, '\0');
}

struct Disk {
  FaultyFiles files;
};

class FullSyncLoadTest : private Disk, public ServerTest {
 protected:
  FullSyncLoadTest() : ServerTest(Disk::files, {"--save", ""}) {
    Run("SET old data");
    Run("REPLICAOF 10.0.0.1 6380");
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndCloseAll(server_.keyspace());
    EXPECT_TRUE(server_.replication().BeginLoad(1));
  }
  ~FullSyncLoadTest() override { server_.replication().StopApplier(); }

  using Disk::files;

  std::unique_ptr<FullSyncLoad> Begin(SyncLoad how, Replication::Turn turn = 1) {
    return std::make_unique<FullSyncLoad>(
        server_,
        FullSyncLoad::Plan{.turn = turn,
                           .point = HistoryPoint{*ReplicationId::Parse(std::string(40, 'a')), 700},
                           .load = how},
        FullSyncLoad::Callbacks{
            .room = [] {},
            .not_received = [this](const absl::Status& status) { not_received_.set_value(status); },
            .ended = [this](const absl::Status& status) { ended_.set_value(status); }});
  }
  /// Sends a whole RDB, and returns how its load ended.
  absl::Status Load(FullSyncLoad& load, const std::string& rdb) {
    load.pipe().Append(rdb);
    load.pipe().Finish();
    return ended_.get_future().get();
  }

  std::promise<absl::Status> not_received_;
  std::promise<absl::Status> ended_;
};

TEST_F(FullSyncLoadTest, PutsThePrimarysDataInPlaceOfOurs) {
  for (const SyncLoad how : {SyncLoad::kDisk, SyncLoad::kInPlace, SyncLoad::kSwap}) {
    ended_ = {};
    const auto load = Begin(how);
    EXPECT_OK(Load(*load, RdbWith("k", "new")));
    EXPECT_EQ(Run("GET k"), "$3\r\nnew\r\n");
    EXPECT_EQ(Run("GET old"), "$-1\r\n");
    EXPECT_EQ(server_.replication().figures().offset, 700);
    EXPECT_EQ(server_.stream().selected_db(), 2) << "as the RDB says";
    while (!load->over()) std::this_thread::yield();
  }
}

TEST_F(FullSyncLoadTest, TheOldDataStaysUntilTheNewIsWhole) {
  for (const SyncLoad how : {SyncLoad::kDisk, SyncLoad::kSwap}) {
    const auto load = Begin(how);
    load->pipe().Append(RdbWith("k", "new").substr(0, 20));
    if (how == SyncLoad::kDisk) {
      EXPECT_EQ(Run("GET old"), "$4\r\ndata\r\n");
    } else {
      while (!server_.persistence().loader().loading()) std::this_thread::yield();
      EXPECT_EQ(Run("GET old").substr(0, 8), "-LOADING") << "the history is another";
    }
    load->GiveUp();
    while (!load->over()) std::this_thread::yield();
    EXPECT_EQ(Run("GET old"), "$4\r\ndata\r\n");
    ended_ = {};
  }
}

TEST_F(FullSyncLoadTest, OldDataOfTheSameHistoryIsServedMeanwhile) {
  EXPECT_OK(Load(*Begin(SyncLoad::kSwap), RdbWith("old", "data")));
  ended_ = {};
  const auto load = Begin(SyncLoad::kSwap);
  const std::string rdb = RdbWith("k", "new");
  load->pipe().Append(rdb.substr(0, 20));
  using Phase = LoadProgress::Phase;
  while (server_.persistence().loader().phase() == Phase::kNone) std::this_thread::yield();
  EXPECT_EQ(server_.persistence().loader().phase(), Phase::kBeside);
  EXPECT_EQ(Run("GET old"), "$4\r\ndata\r\n");
  EXPECT_EQ(Run("BGSAVE").substr(0, 8), "-LOADING");
  EXPECT_THAT(Run("INFO persistence"), HasSubstr("loading:0\r\nasync_loading:1\r\n"));
  load->pipe().Append(rdb.substr(20));
  load->pipe().Finish();
  EXPECT_OK(ended_.get_future().get());
  EXPECT_EQ(Run("GET old"), "$-1\r\n");
  EXPECT_EQ(Run("GET k"), "$3\r\nnew\r\n");
}

TEST_F(FullSyncLoadTest, WhatCannotBeReadDoesNotTakeThePlaceOfTheOldData) {
  EXPECT_FALSE(Load(*Begin(SyncLoad::kSwap), "REDIS9999nonsense").ok());
  EXPECT_EQ(Run("GET old"), "$4\r\ndata\r\n");
  EXPECT_EQ(server_.persistence().loader().phase(), LoadProgress::Phase::kNone);
}

TEST_F(FullSyncLoadTest, WhatWasSwappedInIsSavedAndWatchersAreTold) {
  Run("REPLICAOF NO ONE");
  // A first snapshot leaves another epoch.
  EXPECT_EQ(Run("SAVE"), "+OK\r\n");
  Run("REPLICAOF 10.0.0.1 6380");
  Run("WATCH old");
  EXPECT_OK(Load(*Begin(SyncLoad::kSwap, 3), RdbWith("k", "new")));
  Run("MULTI");
  Run("PING");
  EXPECT_EQ(Run("EXEC"), "*-1\r\n");
  Run("REPLICAOF NO ONE");
  EXPECT_EQ(Run("SAVE"), "+OK\r\n");
  EXPECT_EQ(Run("SET k newer"), "+OK\r\n");
  EXPECT_EQ(Run("SAVE"), "+OK\r\n");
}

TEST_F(FullSyncLoadTest, WhatIsNoRdbLeavesNothing) {
  const auto load = Begin(SyncLoad::kInPlace);
  EXPECT_THAT(std::string(Load(*load, "REDIS9999nonsense").message()), HasSubstr("version"));
  EXPECT_EQ(Run("DBSIZE"), ":0\r\n");
  EXPECT_FALSE(server_.persistence().loader().loading());
}

TEST_F(FullSyncLoadTest, AFullDiskIsToldAndChangesNothing) {
  files.FailFrom(1, FaultyFiles::Call::kWrite, ENOSPC);
  const auto load = Begin(SyncLoad::kDisk);
  load->pipe().Append(RdbWith("k", "new"));
  load->pipe().Finish();
  EXPECT_FALSE(not_received_.get_future().get().ok());
  EXPECT_EQ(Run("GET old"), "$4\r\ndata\r\n");
}

TEST_F(FullSyncLoadTest, ALoadOfAnotherTurnDoesNotBegin) {
  Run("REPLICAOF NO ONE");
  for (const SyncLoad how : {SyncLoad::kInPlace, SyncLoad::kSwap}) {
    ended_ = {};
    EXPECT_FALSE(Load(*Begin(how), RdbWith("k", "new")).ok());
    EXPECT_EQ(Run("GET old"), "$4\r\ndata\r\n");
  }
}

}  // namespace
}  // namespace cloakroom
