#include "server/persistence/write_health.h"

#include <string_view>
#include <thread>

#include "gmock/gmock.h"
#include "tests/server/support/persistence_fixture.h"

namespace cloakroom {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Call = FaultyFiles::Call;
using Kind = BackgroundWork::Kind;

class WriteHealthByHandTest : public ByHandTest {};
class WriteHealthTest : public OnDiskTest {};
class WriteHealthOfALogTest : public JournalledTest {};

TEST_F(WriteHealthByHandTest, AFailedSnapshotRefusesWritesUntilOneSucceeds) {
  Set({"save", "3600 1"});
  EXPECT_FALSE(health_.refuses_writes());
  health_.NoteSnapshot(false);
  EXPECT_TRUE(health_.refuses_writes());
  EXPECT_THAT(health_.Refusal(), StartsWith("MISCONF Redis is configured to save RDB snapshots"));
  health_.NoteSnapshot(true);
  EXPECT_FALSE(health_.refuses_writes());
}

TEST_F(WriteHealthByHandTest, ItMattersOnlyWithSavePointsAndWhenToldSo) {
  Set({"save", ""});
  health_.NoteSnapshot(false);
  EXPECT_FALSE(health_.refuses_writes());
  Set({"save", "3600 1"});
  EXPECT_TRUE(health_.refuses_writes()) << "at once";
  Set({"stop-writes-on-bgsave-error", "no"});
  EXPECT_FALSE(health_.refuses_writes());
}

TEST_F(WriteHealthTest, WhatIsRefusedIsWhatWritesAndPing) {
  Set({"save", "3600 1"});
  Run("SET b 2");
  files_.FailFrom(1, Call::kSync);
  EXPECT_FALSE(Snapshot());
  EXPECT_THAT(Run("SET c 3"), StartsWith("-MISCONF Redis is configured to save RDB snapshots"));
  EXPECT_THAT(Run("PING"), StartsWith("-MISCONF"));
  EXPECT_EQ(Run("GET b"), "$1\r\n2\r\n");
  EXPECT_THAT(Run({"EVAL", "#!lua\nreturn 1", "0"}), StartsWith("-MISCONF"));
  EXPECT_THAT(Run({"EVAL_RO", "#!lua\nreturn 1", "0"}), StartsWith("-MISCONF"));
  EXPECT_EQ(Run({"EVAL", "#!lua flags=no-writes\nreturn 1", "0"}), ":1\r\n");
  EXPECT_EQ(Run({"EVAL", "return 1", "0"}), ":1\r\n");
  files_.Heal();
  EXPECT_TRUE(Snapshot());
  EXPECT_EQ(Run("SET c 3"), "+OK\r\n");
}

TEST_F(WriteHealthTest, WithoutSavePointsOrWhenToldSoWritesGoOn) {
  Run("SET a 1");
  Set({"save", ""});
  files_.FailFrom(1);
  EXPECT_FALSE(Snapshot());
  EXPECT_EQ(Run("SET a 2"), "+OK\r\n");
  Set({"save", "3600 1"});
  EXPECT_THAT(Run("SET a 3"), HasSubstr("MISCONF"));
  Set({"stop-writes-on-bgsave-error", "no"});
  EXPECT_EQ(Run("SET a 3"), "+OK\r\n");
}

TEST_F(WriteHealthOfALogTest, ADiskThatRefusesTheLogRefusesWrites) {
  files_.FailFrom(1, Call::kWrite, ENOSPC);
  Run("SET a 1");
  EXPECT_FALSE(persistence().journal().file().Flush().ok());
  persistence().Tick();
  EXPECT_TRUE(persistence().write_health().refuses_writes());
  EXPECT_THAT(Run("SET b 2"), HasSubstr("MISCONF Errors writing to the AOF file: "));
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
}

TEST_F(WriteHealthOfALogTest, AManifestThatCannotBeWrittenRefusesWritesUntilItCan) {
  Run("SET a 1");
  FlushLog();
  files_.FailOn("manifest", Call::kRename);
  ASSERT_EQ(log_keeper().Begin(), Kind::kNone);
  Settle();
  EXPECT_EQ(log_keeper().figures().failures, 1);
  persistence().Tick();
  EXPECT_THAT(Run("SET b 2"), HasSubstr("MISCONF Errors writing to the AOF file: "));
  files_.Heal();
  // Setting it wakes the writer, which would otherwise try again in a second.
  persistence().journal().file().set_fsync(AofFsync::kEverySec);
  while (persistence().write_health().refuses_writes()) std::this_thread::yield();
  EXPECT_EQ(Run("SET b 2"), "+OK\r\n");
  FlushLog();
  ExpectNextLifeHas(2U);
}

}  // namespace
}  // namespace cloakroom
