#ifndef CLOAKROOM_CLIENTS_DRILL_SURVEY_H_
#define CLOAKROOM_CLIENTS_DRILL_SURVEY_H_

#include <functional>

#include "absl/status/statusor.h"
#include "clients/drill/options.h"
#include "clients/drill/topology.h"

namespace cloakroom::drill {

/// Asks every Sentinel, the primary and all replicas that either of them names; changes nothing.
/// `pause` waits between the two samples of the primary's offset; without it there is only
/// one. A server that does not answer is part of the result; an error is only that nobody could
/// name a primary.
absl::StatusOr<Topology> Survey(const Where& where, const std::function<void()>& pause = nullptr);

/// What one of them says of itself.
Server AskServer(const Address& address, const Credentials& login);
Sentinel AskSentinel(const Address& address, const Where& where);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_SURVEY_H_
