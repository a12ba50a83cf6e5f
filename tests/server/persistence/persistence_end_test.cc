#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "server/context/server.h"
#include "server/persistence/persistence.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

using Ending = ShutdownSave;
using EndStep = Persistence::EndStep;
using Work = Persistence::Work;

/// In front of the fixture, so that the server's files outlive it.
struct Disk {
  FaultyFiles files;
};

/// The end of the process: what is saved, and for whom it waits.
class PersistenceEndTest : private Disk, public ServerTest {
 protected:
  PersistenceEndTest() : ServerTest(Disk::files), files_(Disk::files) {}

  Persistence& persistence() { return server_.persistence(); }
  void Set(std::vector<std::string_view> words) { ASSERT_EQ(config_.Set(words), std::nullopt); }

  FaultyFiles& files_;
};

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

TEST_F(PersistenceEndTest, TheEndWaitsForNoSaveThatIsUnderWay) {
  {
    Hold hold(server_.keyspace().background_slot());
    hold.WaitAndClose(server_.keyspace().db(0));
    ASSERT_EQ(persistence().BeginSnapshot(), Work::kNone);
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
    persistence().ForgoSaving();
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
  EXPECT_EQ(persistence().under_way(), Work::kNone);
  EXPECT_EQ(Run("GET a"), "$1\r\n1\r\n");
  EXPECT_EQ(persistence().PrepareToEnd(Ending::kSave, /*force=*/true), EndStep::kDone);
  persistence().OpenGates();
}

}  // namespace
}  // namespace cloakroom
