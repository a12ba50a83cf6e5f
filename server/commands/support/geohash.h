#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEOHASH_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEOHASH_H_

#include <cstdint>
#include <string>

namespace cloakroom {

// Geohashes as the scores of geo commands: the cells of a grid over longitude and latitude, whose
// bits are interleaved, longitude first, so that cells with a common beginning are near each other.
// Source of the idea: geohash.org; of the limits: Redis, which cuts the poles off where the Web
// Mercator projection ends, and uses 26 bits for each coordinate. Pure functions.

inline constexpr double kMaxLongitude = 180;
inline constexpr double kMaxLatitude = 85.05112878;

/// Degrees.
struct GeoPoint {
  double longitude = 0;
  double latitude = 0;

  /// Whether a geohash can hold it.
  bool valid() const;
};

/// A rectangle of degrees.
struct GeoArea {
  GeoPoint min;
  GeoPoint max;
};

/// The bits of each coordinate in a score.
inline constexpr unsigned kGeohashBits = 26;

/// A cell of the grid that has 2^bits columns and as many rows. A coordinate at its upper limit has
/// the index behind the last.
struct GeoCell {
  unsigned bits = 0;
  uint32_t column = 0;
  uint32_t row = 0;

  bool operator==(const GeoCell&) const = default;

  /// The cell in which a point is. REQUIRES: point.valid().
  static GeoCell Of(const GeoPoint& point, unsigned bits);
  /// The cell so many columns east and rows north; goes around at the grid's end.
  GeoCell Neighbor(int east, int north) const;
  GeoArea area() const;
  /// The scores of the points in it are at least this, and less than end_score().
  double first_score() const;
  double end_score() const;
};

/// The score of a point. REQUIRES: point.valid().
double GeoScore(const GeoPoint& point);
/// The middle of the cell that a score means. Any score means one.
GeoPoint PointOfScore(double score);
/// The score as an integer; one that does not fit is INT64_MIN, as on the machines of Redis.
int64_t IntegerOfScore(double score);

/// The usual text of a geohash, with eleven characters, on the grid that reaches the poles. The
/// last character says nothing, since 52 bits fill ten: it is "0".
std::string GeohashText(const GeoPoint& point);

/// Metres on the sphere that Redis assumes.
double GeoDistance(const GeoPoint& a, const GeoPoint& b);
double LatitudeDistance(double a, double b);

/// Metres along a meridian as degrees of latitude, and along a parallel as degrees of longitude.
double DegreesNorth(double metres);
double DegreesEast(double metres, double latitude);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEOHASH_H_
