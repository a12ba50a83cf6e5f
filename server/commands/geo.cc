// Geo commands on single members. Those that search are in geo_search.cc.
#include <optional>
#include <string>
#include <vector>

#include "server/commands/families.h"
#include "server/commands/support/geo_arguments.h"
#include "server/commands/support/geohash.h"
#include "server/commands/support/zset_add.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "storage/values/zset.h"

namespace cloakroom {
namespace {

void GeoAdd(Call& call) {
  constexpr size_t kWords = 3;  // longitude, latitude, member
  Arguments args(call, 2);
  ZsetAddOptions options;
  while (args.More()) {
    if (args.Word("NX")) {
      options.nx = true;
    } else if (args.Word("XX")) {
      options.xx = true;
    } else if (args.Word("CH")) {
      options.ch = true;
    } else {
      break;
    }
  }
  const bool both = options.nx && options.xx;
  if (args.left() == 0 || args.left() % kWords != 0 || both) args.SyntaxError();
  std::vector<ScoredItem> items;
  while (args.More()) {
    const GeoPoint point = TakeGeoPoint(args);
    const std::string_view member = args.String();
    if (args.ok()) items.push_back({.score = GeoScore(point), .member = member});
  }
  if (!args.Finish()) return;
  AddToZset(call, items, options);
}

void GeoDist(Call& call) {
  Arguments args(call, 4);
  if (args.left() > 1) args.SyntaxError();
  const double unit = args.More() ? TakeGeoUnit(args) : 1;
  if (!args.Finish()) return;
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  const std::optional<double> from = zset->Score(call.arg(2));
  const std::optional<double> to = zset->Score(call.arg(3));
  if (!from || !to) return call.reply().Null();
  ReplyDistance(call.reply(), GeoDistance(PointOfScore(*from), PointOfScore(*to)) / unit);
}

void GeoHash(Call& call) {
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const std::optional<double> score = zset->Score(call.arg(i));
    score ? call.reply().Bulk(std::string_view(GeohashText(PointOfScore(*score))))
          : call.reply().Null();
  }
}

void GeoPos(Call& call) {
  Reading<Zset> zset(call, call.arg(1));
  if (!zset.ok()) return;
  call.reply().Array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const std::optional<double> score = zset->Score(call.arg(i));
    score ? ReplyPoint(call.reply(), PointOfScore(*score)) : call.reply().NullArray();
  }
}

// Read as a table.
// clang-format off
constexpr CommandRow kGeoCommands[] = {
    {.name = "geoadd", .run = GeoAdd, .arity = -5, .flags = kWrite | kDenyOom,
     .keys = {Key(1, kRW | kUpdate)}, .since = "3.2.0",
     .complexity = "O(log(N)) for each member, N members in all.",
     .syntax = "key [condition: NX | XX] [change: CH] longitude latitude member "
               "[longitude_latitude_member: longitude latitude member ...]",
     .summary = "Adds places to a sorted set, or moves them."},
    {.name = "geodist", .run = GeoDist, .arity = -4, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "3.2.0", .complexity = "O(1)",
     .syntax = "key member1 member2 [unit: M | KM | FT | MI]",
     .summary = "Returns the distance between two places."},
    {.name = "geohash", .run = GeoHash, .arity = -2, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "3.2.0", .complexity = "O(N) for N members.",
     .syntax = "key member [member ...]", .summary = "Returns the geohashes of places."},
    {.name = "geopos", .run = GeoPos, .arity = -2, .flags = kReadonly,
     .keys = {Key(1, kRO | kAccess)}, .since = "3.2.0", .complexity = "O(N) for N members.",
     .syntax = "key member [member ...]",
     .summary = "Returns the longitudes and latitudes of places."},
};
// clang-format on

}  // namespace

CommandFamily GeoCommands() { return {CommandGroup::kGeo, kCatGeo, kGeoCommands}; }

}  // namespace cloakroom
