#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEO_ARGUMENTS_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEO_ARGUMENTS_H_

#include <string>

#include "protocol/reply_writer.h"
#include "server/commands/support/geohash.h"
#include "server/execution/arguments.h"

namespace cloakroom {

// What geo commands have in common: arguments and replies.

/// Takes a longitude and a latitude, which must be valid.
GeoPoint TakeGeoPoint(Arguments& args);
/// Takes a unit of length, and returns its metres.
double TakeGeoUnit(Arguments& args);

/// A distance in some unit, with four decimals.
void ReplyDistance(ReplyWriter& reply, double distance);
/// Longitude and latitude.
void ReplyPoint(ReplyWriter& reply, const GeoPoint& point);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_GEO_ARGUMENTS_H_
