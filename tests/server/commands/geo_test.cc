#include <gtest/gtest.h>

#include <string>

#include "tests/server/support/key_event_log.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class GeoTest : public ServerTest {
 protected:
  void SetUp() override {
    Run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
  }

  KeyEventLog events_{server_.keyspace()};
};

TEST_F(GeoTest, PlacesAreMembersOfASortedSet) {
  EXPECT_EQ(Run("TYPE g"), "+zset\r\n");
  EXPECT_EQ(Run("ZSCORE g Palermo"), "$16\r\n3479099956230698\r\n");
  EXPECT_EQ(events_.Take(), "zadd g; ");
}

TEST_F(GeoTest, GeoAddTakesSomeOptionsOfZAdd) {
  EXPECT_EQ(Run("GEOADD g NX 1 1 Palermo 2 2 new"), ":1\r\n");
  EXPECT_EQ(Run("GEOADD g XX CH 3 3 new 4 4 newer"), ":1\r\n");
  EXPECT_EQ(Run("GEOADD g NX XX 1 1 a"), "-ERR syntax error\r\n");
  EXPECT_EQ(Run("GEOADD g 1 1 a 2"), "-ERR syntax error\r\n");
}

TEST_F(GeoTest, PlacesBeyondTheLimitsAreRefused) {
  EXPECT_EQ(Run("GEOADD g 1 1 a 181 1 b"),
            "-ERR invalid longitude,latitude pair 181.000000,1.000000\r\n");
  EXPECT_EQ(Run("GEOADD g 1 -85.06 a"),
            "-ERR invalid longitude,latitude pair 1.000000,-85.060000\r\n");
  EXPECT_EQ(Run("GEOADD g x 1 a"), "-ERR value is not a valid float\r\n");
  EXPECT_EQ(Run("ZCARD g"), ":2\r\n");
}

TEST_F(GeoTest, GeoPosReadsThemBack) {
  EXPECT_EQ(Run("GEOPOS g Palermo x"),
            "*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n");
  Run("HELLO 3");
  EXPECT_EQ(Run("GEOPOS g Palermo x"),
            "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n");
}

TEST_F(GeoTest, GeoHashIsTheUsualText) {
  EXPECT_EQ(Run("GEOHASH g Palermo Catania x"),
            "*3\r\n$11\r\nsqc8b49rny0\r\n$11\r\nsqdtr74hyu0\r\n$-1\r\n");
}

TEST_F(GeoTest, DistancesHaveFourDecimals) {
  EXPECT_EQ(Run("GEODIST g Palermo Catania"), "$11\r\n166274.1516\r\n");
  EXPECT_EQ(Run("GEODIST g Palermo Catania km"), "$8\r\n166.2742\r\n");
  EXPECT_EQ(Run("GEODIST g Palermo Palermo mi"), "$6\r\n0.0000\r\n");
  EXPECT_EQ(Run("GEODIST g Palermo x"), "$-1\r\n");
  EXPECT_EQ(Run("GEODIST absent a b x"),
            "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n");
}

TEST_F(GeoTest, AScoreThatIsNoGeohashIsSomePlace) {
  for (const char* score : {"-5", "inf", "-inf", "1e300", "3.7", "18446744073709551616"}) {
    Run({"ZADD", "g", score, "odd"});
    EXPECT_EQ(Run("GEOPOS g odd").substr(0, 9), "*1\r\n*2\r\n$") << score;
    EXPECT_EQ(Run("GEOHASH g odd").substr(0, 9), "*1\r\n$11\r\n") << score;
  }
  Run("ZADD g inf odd");
  EXPECT_EQ(Run("GEOPOS g odd").substr(8, 27), "$22\r\n-179.99999731779098511");
}

}  // namespace
}  // namespace cloakroom
