#include "server/persistence/persistence.h"

#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "tests/server/support/persistence_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

using testing::HasSubstr;
using Kind = BackgroundWork::Kind;

/// Behaviour that involves several of the parts.
class PersistenceTest : public OnDiskTest {
 protected:
  PersistenceTest() : OnDiskTest({"--enable-protected-configs", "yes"}) {}
};

TEST_F(PersistenceTest, ARewriteThatIsDueComesBeforeASnapshot) {
  saver().Schedule();
  log_keeper().Schedule();
  persistence().Tick();
  EXPECT_FALSE(log_keeper().figures().scheduled);
  EXPECT_TRUE(saver().figures().scheduled);
  persistence().work().AwaitIdle();
  EXPECT_EQ(log_keeper().figures().rewrites, 1);
  Settle();
  EXPECT_EQ(saver().figures().snapshots, 1);
}

TEST_F(PersistenceTest, WhileSomethingIsUnderWayATickBeginsNothing) {
  saver().Schedule();
  {
    BackgroundWork::TakeOver turn(persistence().work());
    turn.Wait();
    persistence().Tick();
    EXPECT_TRUE(saver().figures().scheduled);
    EXPECT_EQ(Run("BGSAVE"), "-ERR Background save already in progress\r\n");
    std::vector<std::string_view> words = {"dir", "/tmp"};
    EXPECT_THAT(config_.Set(words), FailsWith(HasSubstr("a save or a rewrite is under way")));
  }
  Set({"dir", "/tmp"});
  Settle();
  EXPECT_EQ(saver().figures().snapshots, 1);
}

}  // namespace
}  // namespace cloakroom
