#ifndef CLOAKROOM_SERVER_TRACKING_INVALIDATION_H_
#define CLOAKROOM_SERVER_TRACKING_INVALIDATION_H_

#include <optional>
#include <span>
#include <string_view>

#include "server/session/client.h"
#include "server/session/client_registry.h"

namespace cloakroom {

/// Tells a client that tracks, or the client to which it redirects, that these keys have changed;
/// nullopt: that all may have. In RESP3 it is a push `invalidate`. In RESP2 only a redirection can
/// carry it: a message on the channel `__redis__:invalidate` to a client that has subscribed to
/// something. A redirection to a client that is gone is reported to a RESP3 client as
/// `tracking-redir-broken`. Thread rule: any thread.
void SendInvalidation(const ClientRegistry& clients, Client& client,
                      std::optional<std::span<const std::string_view>> keys);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_TRACKING_INVALIDATION_H_
