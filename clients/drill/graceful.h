#ifndef CLOAKROOM_CLIENTS_DRILL_GRACEFUL_H_
#define CLOAKROOM_CLIENTS_DRILL_GRACEFUL_H_

#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "clients/drill/act.h"
#include "clients/drill/address.h"

namespace cloakroom::drill {

// Changes of roles that lose no write. Errors: Cancelled when the context's signal ended a wait,
// DeadlineExceeded, or what a server said. Whatever they return, no pause of theirs is left, and
// each pause would have ended by itself after some seconds.

/// Makes a replica the primary, and the context's primary its replica, and returns when that has
/// happened.
///
/// Without Sentinels: FAILOVER, to `target` if there is one. With Sentinels that would surprise
/// them, so: writes are paused, the replicas catch up, SENTINEL FAILOVER, and the former primary is
/// told at once whom to follow, which the Sentinels would do about ten seconds later. The Sentinels
/// choose who is promoted, so `target` is not used.
absl::Status HandOver(const ActContext& context, std::optional<Address> target);

/// SENTINEL FAILOVER, asked of the first Sentinel that answers. Returns when it has begun.
absl::Status StartSentinelFailover(const ActContext& context);

/// Waits until all `replicas` that have a link have executed what the primary had written when this
/// was called.
absl::Status AwaitReplicas(const ActContext& context, std::chrono::milliseconds limit);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_GRACEFUL_H_
