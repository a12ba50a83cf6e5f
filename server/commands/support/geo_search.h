#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEO_SEARCH_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEO_SEARCH_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/support/geohash.h"
#include "storage/values/zset.h"

namespace cloakroom {

/// The area around a point in which a search finds members: a circle, or a rectangle. Metres.
struct GeoShape {
  GeoPoint center;
  bool is_box = false;
  double radius = 0;
  double width = 0;
  double height = 0;

  /// The distance of a point from the center; nullopt if it is outside.
  std::optional<double> DistanceWithin(const GeoPoint& point) const;
};

/// A member that a search has found.
struct GeoMatch {
  std::string member;
  double score = 0;
  double metres = 0;
  GeoPoint point;
};

/// A search in a sorted set whose scores are geohashes: it looks at the members in a few cells that
/// cover the shape. Pure: any thread may use it.
class GeoSearch {
 public:
  explicit GeoSearch(const GeoShape& shape);

  /// How many members are in its cells.
  size_t Candidates(const Zset& zset) const;
  /// The members within the shape, cell by cell, the middle one first, which is the order that
  /// clients see when they ask for none. Ends after `most` members; 0: no limit.
  std::vector<GeoMatch> Run(const Zset& zset, size_t most) const;

 private:
  GeoShape shape_;
  std::vector<GeoCell> cells_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEO_SEARCH_H_
