#include "server/commands/support/geo_search.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "server/commands/support/zset_range.h"

namespace cloakroom {
namespace {

/// From one cell to another.
struct Step {
  int east;
  int north;
};

// The nine cells of a search, in the order in which Redis visits them.
constexpr std::array<Step, 9> kSteps = {
    {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}}};

/// The degrees between which the whole shape lies.
GeoArea BoundsOf(const GeoShape& shape) {
  const GeoPoint& center = shape.center;
  const double north = DegreesNorth(shape.is_box ? shape.height / 2 : shape.radius);
  // The shape is widest, in degrees, on the side that is nearer to a pole. Redis looks there for
  // both edges.
  const double widest = center.latitude < 0 ? center.latitude - north : center.latitude + north;
  const double east = DegreesEast(shape.is_box ? shape.width / 2 : shape.radius, widest);
  return {.min = {center.longitude - east, center.latitude - north},
          .max = {center.longitude + east, center.latitude + north}};
}

/// So many bits that a cell is about as large as the shape. Half the width of the Web Mercator map
/// is halved until the radius exceeds it; near the poles, where a cell is narrower, less often.
unsigned BitsFor(double radius, double latitude) {
  constexpr double kHalfMap = 20037726.37;
  constexpr double kFarNorth = 66;
  constexpr double kFarthestNorth = 80;
  if (radius == 0) return kGeohashBits;
  int bits = -1;
  for (; radius < kHalfMap; radius *= 2) ++bits;
  if (std::abs(latitude) > kFarNorth) --bits;
  if (std::abs(latitude) > kFarthestNorth) --bits;
  return static_cast<unsigned>(std::clamp<int>(bits, 1, kGeohashBits));
}

/// Whether the neighbours on all four sides reach as far as the shape.
bool Covers(const GeoCell& center, const GeoArea& bounds) {
  return center.Neighbor(0, 1).area().max.latitude >= bounds.max.latitude &&
         center.Neighbor(0, -1).area().min.latitude <= bounds.min.latitude &&
         center.Neighbor(1, 0).area().max.longitude >= bounds.max.longitude &&
         center.Neighbor(-1, 0).area().min.longitude <= bounds.min.longitude;
}

/// Whether the shape may reach the neighbour in a direction: it does not if the center's cell
/// already ends behind the shape.
bool MayReach(const GeoArea& cell, const GeoArea& bounds, const Step& step) {
  if (step.north < 0 && cell.min.latitude < bounds.min.latitude) return false;
  if (step.north > 0 && cell.max.latitude > bounds.max.latitude) return false;
  if (step.east < 0 && cell.min.longitude < bounds.min.longitude) return false;
  return step.east <= 0 || cell.max.longitude <= bounds.max.longitude;
}

std::vector<GeoCell> CellsOf(const GeoShape& shape) {
  const GeoArea bounds = BoundsOf(shape);
  // Not std::hypot: it would need a newer glibc than the packages promise.
  const double diagonal = std::sqrt(shape.width * shape.width + shape.height * shape.height);
  const double radius = shape.is_box ? diagonal / 2 : shape.radius;
  unsigned bits = BitsFor(radius, shape.center.latitude);
  if (bits > 1 && !Covers(GeoCell::Of(shape.center, bits), bounds)) --bits;
  const GeoCell center = GeoCell::Of(shape.center, bits);
  std::vector<GeoCell> cells;
  for (const Step& step : kSteps) {
    if (bits > 1 && !MayReach(center.area(), bounds, step)) continue;
    const GeoCell cell = center.Neighbor(step.east, step.north);
    // On a grid of two by two a neighbour on one side is also that on the other.
    if (std::ranges::find(cells, cell) == cells.end()) cells.push_back(cell);
  }
  return cells;
}

RankRange RanksIn(const Zset& zset, const GeoCell& cell) {
  return ScoreRange{.min = cell.first_score(), .max = cell.end_score(), .max_open = true}.In(zset);
}

}  // namespace

std::optional<double> GeoShape::DistanceWithin(const GeoPoint& point) const {
  if (is_box) {
    if (LatitudeDistance(point.latitude, center.latitude) > height / 2) return std::nullopt;
    const GeoPoint abreast = {center.longitude, point.latitude};
    if (GeoDistance(point, abreast) > width / 2) return std::nullopt;
    return GeoDistance(center, point);
  }
  const double metres = GeoDistance(center, point);
  if (metres > radius) return std::nullopt;
  return metres;
}

GeoSearch::GeoSearch(const GeoShape& shape) : shape_(shape), cells_(CellsOf(shape)) {}

size_t GeoSearch::Candidates(const Zset& zset) const {
  size_t count = 0;
  for (const GeoCell& cell : cells_) count += RanksIn(zset, cell).count;
  return count;
}

std::vector<GeoMatch> GeoSearch::Run(const Zset& zset, size_t most) const {
  std::vector<GeoMatch> matches;
  for (const GeoCell& cell : cells_) {
    const RankRange ranks = RanksIn(zset, cell);
    zset.ForRange(ranks.first, ranks.count, /*descending=*/false, [&](const ScoredItem& item) {
      if (most > 0 && matches.size() >= most) return;
      const GeoPoint point = PointOfScore(item.score);
      const std::optional<double> metres = shape_.DistanceWithin(point);
      if (!metres) return;
      matches.push_back({std::string(item.member), item.score, *metres, point});
    });
  }
  return matches;
}

}  // namespace cloakroom
