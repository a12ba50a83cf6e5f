#include "server/commands/support/geohash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cloakroom {
namespace {

constexpr double kEarthRadiusMetres = 6372797.560856;
constexpr double kRadians = std::numbers::pi / 180;

double Radians(double degrees) { return degrees * kRadians; }
double Degrees(double radians) { return radians / kRadians; }

/// The index of a coordinate among 2^bits parts of a range.
uint32_t IndexOf(double value, double limit, unsigned bits) {
  const double part = (value + limit) / (limit + limit);
  return static_cast<uint32_t>(part * static_cast<double>(uint64_t{1} << bits));
}

/// The lower edge of a part.
double EdgeOf(double index, double limit, unsigned bits) {
  const double part = index / static_cast<double>(uint64_t{1} << bits);
  return -limit + part * (limit + limit);
}

/// Puts a zero bit before each bit.
uint64_t Spread(uint32_t value) {
  uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000ffff0000ffff;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}

/// Takes every second bit, from the lowest on.
uint32_t Gather(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(bits | bits >> 16);
}

constexpr double kTwoTo63 = 9223372036854775808.0;

/// The bits of any score: those of a signed number below 2^63, otherwise of an unsigned one.
uint64_t BitsOf(double score) {
  if (score < kTwoTo63) return static_cast<uint64_t>(IntegerOfScore(score));
  return score < 2 * kTwoTo63 ? static_cast<uint64_t>(score) : 0;
}

uint64_t Interleave(uint32_t column, uint32_t row) { return Spread(row) | Spread(column) << 1; }

uint32_t Moved(uint32_t index, int by, unsigned bits) {
  if (by == 0) return index;
  return (index + static_cast<uint32_t>(by)) & ((uint32_t{1} << bits) - 1);
}

}  // namespace

bool GeoPoint::valid() const {
  return std::abs(longitude) <= kMaxLongitude && std::abs(latitude) <= kMaxLatitude;
}

GeoCell GeoCell::Of(const GeoPoint& point, unsigned bits) {
  return {.bits = bits,
          .column = IndexOf(point.longitude, kMaxLongitude, bits),
          .row = IndexOf(point.latitude, kMaxLatitude, bits)};
}

GeoCell GeoCell::Neighbor(int east, int north) const {
  return {.bits = bits, .column = Moved(column, east, bits), .row = Moved(row, north, bits)};
}

GeoArea GeoCell::area() const {
  return {
      .min = {EdgeOf(column, kMaxLongitude, bits), EdgeOf(row, kMaxLatitude, bits)},
      .max = {EdgeOf(column + 1.0, kMaxLongitude, bits), EdgeOf(row + 1.0, kMaxLatitude, bits)}};
}

double GeoCell::first_score() const {
  return static_cast<double>(Interleave(column, row) << 2 * (kGeohashBits - bits));
}

double GeoCell::end_score() const {
  return static_cast<double>((Interleave(column, row) + 1) << 2 * (kGeohashBits - bits));
}

double GeoScore(const GeoPoint& point) { return GeoCell::Of(point, kGeohashBits).first_score(); }

int64_t IntegerOfScore(double score) {
  return score < -kTwoTo63 || score >= kTwoTo63 ? INT64_MIN : static_cast<int64_t>(score);
}

GeoPoint PointOfScore(double score) {
  const uint64_t bits = BitsOf(score);
  const GeoCell cell{.bits = kGeohashBits, .column = Gather(bits >> 1), .row = Gather(bits)};
  const GeoArea area = cell.area();
  return {.longitude = std::clamp((area.min.longitude + area.max.longitude) / 2, -kMaxLongitude,
                                  kMaxLongitude),
          .latitude =
              std::clamp((area.min.latitude + area.max.latitude) / 2, -kMaxLatitude, kMaxLatitude)};
}

std::string GeohashText(const GeoPoint& point) {
  constexpr char kAlphabet[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr double kPole = 90;
  constexpr unsigned kBitsOfCharacter = 5;
  constexpr unsigned kCharacters = 2 * kGeohashBits / kBitsOfCharacter;
  const uint64_t bits = Interleave(IndexOf(point.longitude, kMaxLongitude, kGeohashBits),
                                   IndexOf(point.latitude, kPole, kGeohashBits));
  std::string text;
  for (unsigned i = 1; i <= kCharacters; ++i) {
    text += kAlphabet[(bits >> (2 * kGeohashBits - kBitsOfCharacter * i)) & 31];
  }
  return text + kAlphabet[0];
}

double LatitudeDistance(double a, double b) {
  return kEarthRadiusMetres * std::abs(Radians(b) - Radians(a));
}

// By the haversine formula.
double GeoDistance(const GeoPoint& a, const GeoPoint& b) {
  const double latitude_a = Radians(a.latitude);
  const double latitude_b = Radians(b.latitude);
  const double across = std::sin((Radians(b.longitude) - Radians(a.longitude)) / 2);
  if (across == 0) return LatitudeDistance(a.latitude, b.latitude);
  const double along = std::sin((latitude_b - latitude_a) / 2);
  const double chord =
      along * along + std::cos(latitude_a) * std::cos(latitude_b) * across * across;
  return 2 * kEarthRadiusMetres * std::asin(std::sqrt(chord));
}

double DegreesNorth(double metres) { return Degrees(metres / kEarthRadiusMetres); }

double DegreesEast(double metres, double latitude) {
  return Degrees(metres / kEarthRadiusMetres / std::cos(Radians(latitude)));
}

}  // namespace cloakroom
