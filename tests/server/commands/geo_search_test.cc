#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/replies.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class GeoSearchCommandsTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 12.758489 38.788135 a "
        "17.24151 38.788135 b");
  }
  /// Places one behind the other along the equator.
  void Fill(const std::string& key, int places) {
    std::vector<std::string> args = {"GEOADD", key};
    for (int i = 0; i < places; ++i) {
      args.push_back(std::to_string(i * 0.0001));
      args.emplace_back("0");
      args.push_back("p" + std::to_string(i));
    }
    Run(args);
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(GeoSearchCommandsTest, FindsWhatIsInACircleOrARectangle) {
  EXPECT_EQ(Run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC"), Bulks({"Catania", "Palermo"}));
  EXPECT_EQ(Run("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km DESC"),
            Bulks({"a", "b", "Palermo", "Catania"}));
  EXPECT_EQ(Run("GEOSEARCH g FROMMEMBER Palermo BYRADIUS 100 km ASC"), Bulks({"Palermo", "a"}));
  EXPECT_EQ(Run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 400 km COUNT 1"), Bulks({"Catania"}));
  EXPECT_EQ(Run("GEOSEARCH absent FROMMEMBER x BYRADIUS 1 km"), "*0\r\n");
}

TEST_F(GeoSearchCommandsTest, RepliesWhatIsAskedFor) {
  EXPECT_EQ(Run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 100 km WITHCOORD WITHDIST WITHHASH"),
            "*1\r\n*4\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n:3479447370796909\r\n*2\r\n"
            "$20\r\n15.08726745843887329\r\n$20\r\n37.50266842333162032\r\n");
}

TEST_F(GeoSearchCommandsTest, NeedsAPlaceAndAShape) {
  EXPECT_EQ(Run("GEOSEARCH g BYRADIUS 1 km ASC ASC"),
            "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH\r\n");
  EXPECT_EQ(Run("GEOSEARCH g FROMMEMBER a ASC ASC ASC"),
            "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH\r\n");
  EXPECT_EQ(Run("GEOSEARCH g FROMMEMBER x BYRADIUS 1 km"),
            "-ERR could not decode requested zset member\r\n");
  EXPECT_EQ(Run("GEOSEARCH g FROMMEMBER a BYRADIUS 1 km ANY"),
            "-ERR the ANY argument requires COUNT argument\r\n");
  EXPECT_EQ(Run("GEOSEARCH g FROMMEMBER a BYRADIUS 1 km COUNT 0"), "-ERR COUNT must be > 0\r\n");
}

TEST_F(GeoSearchCommandsTest, StoresPlacesOrDistances) {
  events_.Take();
  EXPECT_EQ(Run("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km"), ":2\r\n");
  EXPECT_EQ(Run("ZSCORE d Palermo"), "$16\r\n3479099956230698\r\n");
  EXPECT_EQ(Run("GEORADIUS g 15 37 200 km STOREDIST d"), ":2\r\n");
  EXPECT_EQ(Run("ZSCORE d Catania"), "$18\r\n56.441257870158204\r\n");
  EXPECT_EQ(Run("GEORADIUSBYMEMBER g Palermo 1 m STORE d"), ":1\r\n");
  EXPECT_EQ(Run("GEORADIUS g 100 37 1 km STORE d"), ":0\r\n");
  EXPECT_EQ(events_.Take(), "geosearchstore d; georadiusstore d; georadiusstore d; del d; ");
  EXPECT_EQ(Run("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST"),
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD "
            "options\r\n");
}

TEST_F(GeoSearchCommandsTest, TheLastStoreCounts) {
  EXPECT_EQ(Run("GEORADIUS g 15 37 200 km STORE x STORE y"), ":2\r\n");
  EXPECT_EQ(Run("EXISTS x"), ":0\r\n");
  EXPECT_EQ(Run("ZCARD y"), ":2\r\n");
}

TEST_F(GeoSearchCommandsTest, TheRoFormsDoNotStore) {
  EXPECT_EQ(Run("GEORADIUS_RO g 15 37 200 km ASC"), Bulks({"Catania", "Palermo"}));
  EXPECT_EQ(Run("GEORADIUS_RO g 15 37 200 km STORE d"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("GEORADIUSBYMEMBER_RO g Palermo 200 km STORE d"), "-ERR syntax error\r\n");
}

TEST_F(GeoSearchCommandsTest, ALargeSearchRunsOutsideTheEventLoop) {
  Fill("many", 25'000);
  EXPECT_EQ(Run("GEOSEARCH many FROMLONLAT 0 0 BYRADIUS 1000 km COUNT 1"), Bulks({"p0"}));
  bool prepared = false;
  after_preparing_ = [&] { prepared = true; };
  EXPECT_EQ(Run("GEOSEARCHSTORE d many FROMLONLAT 0 0 BYRADIUS 1000 km STOREDIST"), ":25000\r\n");
  EXPECT_TRUE(prepared);
  EXPECT_EQ(Run("ZRANGE d 0 0"), Bulks({"p0"}));
}

}  // namespace
}  // namespace cloakroom
