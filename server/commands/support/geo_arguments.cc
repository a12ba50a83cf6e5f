#include "server/commands/support/geo_arguments.h"

#include <fmt/core.h>

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

/// A double in RESP3, but without an exponent.
void ReplyCoordinate(ReplyWriter& reply, double degrees) {
  const std::string text = FormatLongDouble(degrees);
  if (reply.resp() == 2) return reply.Bulk(std::string_view(text));
  reply.Raw(fmt::format(",{}\r\n", text));
}

}  // namespace

GeoPoint TakeGeoPoint(Arguments& args) {
  GeoPoint point;
  point.longitude = args.Double();
  point.latitude = args.Double();
  if (args.ok() && !point.valid()) {
    args.Fail(fmt::format("ERR invalid longitude,latitude pair {:f},{:f}", point.longitude,
                          point.latitude));
  }
  return point;
}

double TakeGeoUnit(Arguments& args) {
  constexpr double kFoot = 0.3048;
  constexpr double kMile = 1609.34;
  if (args.Word("m")) return 1;
  if (args.Word("km")) return 1000;
  if (args.Word("ft")) return kFoot;
  if (args.Word("mi")) return kMile;
  args.Fail("ERR unsupported unit provided. please use M, KM, FT, MI");
  return 1;
}

void ReplyDistance(ReplyWriter& reply, double distance) {
  reply.Bulk(std::string_view(fmt::format("{:.4f}", distance)));
}

void ReplyPoint(ReplyWriter& reply, const GeoPoint& point) {
  reply.Array(2);
  ReplyCoordinate(reply, point.longitude);
  ReplyCoordinate(reply, point.latitude);
}

}  // namespace cloakroom
