#include <thread>

#include "gtest/gtest.h"
#include "tests/server/support/persistence_fixture.h"

namespace cloakroom {
namespace {

using Ending = ShutdownSave;
using EndStep = Persistence::EndStep;
using Kind = BackgroundWork::Kind;

/// The end of the process: what it saves, and what it waits for.
class PersistenceEndTest : public OnDiskTest {};

TEST_F(PersistenceEndTest, TheEndSavesWhereThereAreSavePoints) {
  Set({"save", "3600 1"});
  Run("SET a 1");
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kDone);
  EXPECT_TRUE(files_.Exists("dump.rdb"));
  persistence().OpenGates();
}

TEST_F(PersistenceEndTest, TheEndWaitsForNoGateAndHoldsNoneUntilItHasAll) {
  Set({"save", "3600 1"});
  Run("SET a 1");
  Keyspace& keyspace = server_.keyspace();
  {
    Hold script(server_.thread(0).slot);
    Database* last[] = {&keyspace.db(keyspace.database_count() - 1)};
    ASSERT_TRUE(script.TryClose(last, /*queued=*/false));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kNotYet);
      EXPECT_EQ(Run("SET a 2"), "+OK\r\n") << "the other databases are served";
    }
    EXPECT_FALSE(files_.Exists("dump.rdb"));
  }
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kDone);
  EXPECT_TRUE(files_.Exists("dump.rdb"));
  persistence().OpenGates();
}

TEST_F(PersistenceEndTest, AnEndThatIsGivenUpLeavesTheServerAsItWas) {
  Set({"save", "3600 1"});
  Run("SET a 1");
  {
    Hold script(server_.thread(0).slot);
    Database* last[] = {&server_.keyspace().db(server_.keyspace().database_count() - 1)};
    ASSERT_TRUE(script.TryClose(last, /*queued=*/false));
    EXPECT_EQ(persistence().PrepareToEnd(Ending::kDefault, /*force=*/false), EndStep::kNotYet);
    persistence().GiveUpEnd();
  }
  EXPECT_FALSE(files_.Exists("dump.rdb"));
  EXPECT_EQ(Run("SET a 2"), "+OK\r\n");
  EXPECT_TRUE(Snapshot()) << "nobody has the slot";
}

TEST_F(PersistenceEndTest, TheEndWaitsForNoSaveThatIsUnderWay) {
  {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndClose(server_.keyspace().db(0));
    ASSERT_EQ(saver().Begin(), Kind::kNone);
    EXPECT_EQ(persistence().PrepareToEnd(Ending::kSave, /*force=*/false), EndStep::kNotYet);
  }
  EndStep step = EndStep::kNotYet;
  while (step == EndStep::kNotYet) {
    step = persistence().PrepareToEnd(Ending::kSave, /*force=*/false);
    std::this_thread::yield();
  }
  EXPECT_EQ(step, EndStep::kDone);
  persistence().OpenGates();
}

TEST_F(PersistenceEndTest, ASaveAtTheEndCanBeForgoneWhileItIsUnderWay) {
  Run("SET a 1");
  int turns = 0;
  const EndStep step = persistence().PrepareToEnd(Ending::kSave, /*force=*/false, [&] {
    ++turns;
    persistence().work().ForgoSaving();
  });
  EXPECT_EQ(step, EndStep::kDone);
  EXPECT_GE(turns, 1);
  EXPECT_FALSE(files_.Exists("dump.rdb"));
  persistence().OpenGates();
}

TEST_F(PersistenceEndTest, TheEndSavesNothingWhenToldSo) {
  Set({"save", "3600 1"});
  Run("SET a 1");
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kNoSave, /*force=*/false), EndStep::kDone);
  EXPECT_FALSE(files_.Exists("dump.rdb"));
}

TEST_F(PersistenceEndTest, AnEndThatCannotSaveIsNoneUnlessForced) {
  Run("SET a 1");
  files_.FailFrom(1);
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kSave, /*force=*/false), EndStep::kRefused);
  EXPECT_EQ(persistence().work().under_way(), Kind::kNone);
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kSave, /*force=*/true), EndStep::kDone);
  persistence().OpenGates();
}

}  // namespace
}  // namespace cloakroom
