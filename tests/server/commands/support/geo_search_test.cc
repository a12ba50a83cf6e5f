#include "server/commands/support/geo_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "storage/values/memory_slot.h"

namespace cloakroom {
namespace {

TEST(GeoShapeTest, ABoxIsMeasuredAlongItsAxes) {
  const GeoShape box{.center = {0, 0}, .is_box = true, .width = 222'000, .height = 111'000};
  EXPECT_TRUE(box.DistanceWithin({0.9, 0}));
  EXPECT_FALSE(box.DistanceWithin({0, 0.9}));
  EXPECT_TRUE(box.DistanceWithin({0.9, 0.4}));
}

TEST(GeoSearchTest, FindsAsManyAsACompleteLook) {
  MemorySlot slot;
  const EncodingLimits limits;
  MutableZset zset(slot, limits);
  std::map<std::string, GeoPoint> places;
  std::mt19937_64 rng(3);
  std::uniform_real_distribution<double> longitudes(-kMaxLongitude, kMaxLongitude);
  std::uniform_real_distribution<double> latitudes(-60, 60);
  for (int i = 0; i < 3000; ++i) {
    const double score = GeoScore({longitudes(rng), latitudes(rng)});
    places["p" + std::to_string(i)] = PointOfScore(score);
    zset.Put("p" + std::to_string(i), score);
  }
  for (const double metres : {0.0, 5e4, 5e5, 2e6}) {
    for (const bool is_box : {false, true}) {
      // Away from the antimeridian, across which a shape does not reach, as in Redis.
      const GeoShape shape{.center = {longitudes(rng) / 2, latitudes(rng) / 2},
                           .is_box = is_box,
                           .radius = metres,
                           .width = metres,
                           .height = metres / 2};
      std::set<std::string> expected;
      for (const auto& [member, point] : places) {
        if (shape.DistanceWithin(point)) expected.insert(member);
      }
      std::set<std::string> found;
      const GeoSearch search(shape);
      for (const GeoMatch& match : search.Run(zset.view(), 0)) found.insert(match.member);
      EXPECT_EQ(found, expected) << metres;
      EXPECT_GE(search.Candidates(zset.view()), found.size());
      EXPECT_EQ(search.Run(zset.view(), 2).size(), std::min<size_t>(2, found.size()));
    }
  }
}

}  // namespace
}  // namespace cloakroom
