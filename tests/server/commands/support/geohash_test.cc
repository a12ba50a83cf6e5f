#include "server/commands/support/geohash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace cloakroom {
namespace {

TEST(GeohashTest, TheTextIsThatOfOtherPrograms) {
  // The example of Wikipedia's article on geohashes.
  EXPECT_EQ(GeohashText({-5.60302734375, 42.60498046875}).substr(0, 5), "ezs42");
  EXPECT_EQ(GeohashText({0, 0}), "s0000000000");
}

TEST(GeohashTest, AScoreKeepsAPlaceToLessThanAMetre) {
  std::mt19937_64 rng(7);
  std::uniform_real_distribution<double> longitudes(-kMaxLongitude, kMaxLongitude);
  std::uniform_real_distribution<double> latitudes(-kMaxLatitude, kMaxLatitude);
  for (int i = 0; i < 1000; ++i) {
    const GeoPoint point = {longitudes(rng), latitudes(rng)};
    EXPECT_LT(GeoDistance(point, PointOfScore(GeoScore(point))), 1);
  }
}

TEST(GeohashTest, ScoresFollowTheCells) {
  const GeoCell west{.bits = 1, .column = 0, .row = 0};
  EXPECT_EQ(west.first_score(), 0);
  EXPECT_EQ(west.end_score(), std::exp2(50));
  EXPECT_EQ(west.area().max.longitude, 0);
  const GeoCell cell = GeoCell::Of({10, 20}, 12);
  const double score = GeoScore({10, 20});
  EXPECT_LE(cell.first_score(), score);
  EXPECT_GT(cell.end_score(), score);
}

TEST(GeohashTest, NeighborsGoAroundTheWorld) {
  const GeoCell cell = GeoCell::Of({179.9, 0}, 4);
  EXPECT_EQ(cell.Neighbor(1, 0).column, 0u);
  EXPECT_EQ(cell.Neighbor(1, 0).Neighbor(-1, 0), cell);
  EXPECT_EQ(cell.Neighbor(0, 1).row, cell.row + 1);
}

TEST(GeohashTest, DistancesAreAlongTheSphere) {
  constexpr double kQuarter = 6372797.560856 * 3.14159265358979323846 / 2;
  EXPECT_NEAR(GeoDistance({0, 0}, {90, 0}), kQuarter, 1e-6);
  EXPECT_NEAR(GeoDistance({0, 0}, {0, 90}), kQuarter, 1e-6);
  EXPECT_NEAR(LatitudeDistance(-45, 45), kQuarter, 1e-6);
  EXPECT_NEAR(DegreesNorth(kQuarter), 90, 1e-9);
  EXPECT_NEAR(DegreesEast(kQuarter / 2, 60), 90, 1e-6);
}

TEST(GeohashTest, OnlyTheMapIsValid) {
  EXPECT_TRUE((GeoPoint{180, 85.05112878}.valid()));
  EXPECT_FALSE((GeoPoint{180.1, 0}.valid()));
  EXPECT_FALSE((GeoPoint{0, -85.06}.valid()));
  EXPECT_FALSE((GeoPoint{std::nan(""), 0}.valid()));
}

}  // namespace
}  // namespace cloakroom
