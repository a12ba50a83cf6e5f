#ifndef CLOAKROOM_CLIENTS_DRILL_WAY_BACK_H_
#define CLOAKROOM_CLIENTS_DRILL_WAY_BACK_H_

#include "absl/status/status.h"
#include "clients/drill/act.h"
#include "clients/drill/address.h"

namespace cloakroom::drill {

/// Makes the context's primary, which follows `now` by this time or will soon, the primary again,
/// without a loss. Returns once all Sentinels have heard of it. The message of an error is for the
/// user, and begins with the server's address.
absl::Status BringBack(const ActContext& context, const Address& now);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_WAY_BACK_H_
