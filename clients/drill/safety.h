#ifndef CLOAKROOM_CLIENTS_DRILL_SAFETY_H_
#define CLOAKROOM_CLIENTS_DRILL_SAFETY_H_

#include <string>

#include "absl/status/status.h"
#include "clients/drill/act.h"
#include "clients/drill/foreign_clients.h"
#include "clients/drill/options.h"
#include "clients/drill/topology.h"

namespace cloakroom::drill {

// What a run asks before it does harm. FailedPrecondition says why it must not, and what to do.

/// That somebody could take over at all: the primary answers and is one, and a replica of its
/// history has a link to it.
absl::Status DemandReplica(const Topology& topology);

/// That nobody else is connected to these servers. Looks at them for a second.
absl::Status DemandNoOthers(const ActContext& context, Looks which);

/// That check finds everything ok.
absl::Status DemandGreen(const Topology& topology);

/// That a replica is less than a second behind.
absl::Status DemandFreshReplica(const ActContext& context);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_SAFETY_H_
