#ifndef CLOAKROOM_CLIENTS_DRILL_AMOUNTS_H_
#define CLOAKROOM_CLIENTS_DRILL_AMOUNTS_H_

#include <cstdint>
#include <string>

namespace cloakroom::drill {

// Amounts as a reader wants them: two or three digits and a unit.

/// "512 B", "1.5 KB", "64 MB"; a KB is 1024 bytes, as in the directives of servers.
std::string BytesText(double bytes);
/// "0.25 s", "38 s", "12 min", "5 h", "more than a day".
std::string SecondsText(double seconds);
/// "1 replica", "2 replicas".
std::string CountText(int64_t count, const std::string& noun);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_AMOUNTS_H_
