#ifndef CLOAKROOM_SERVER_INFO_CLIENT_LINE_H_
#define CLOAKROOM_SERVER_INFO_CLIENT_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/session/client.h"

namespace cloakroom {

/// CLIENT LIST's line for a client: Redis 7.2's fields in its order, without a line end. Any
/// thread; the figures may be a moment old.
std::string ClientLine(const Client& client, int64_t now_ms);

/// The types of CLIENT LIST TYPE and CLIENT KILL TYPE.
enum class ClientType : uint8_t { kNormal, kPubSub, kReplica, kPrimary };

/// In any case: normal, pubsub, replica, slave, master.
std::optional<ClientType> ParseClientType(std::string_view text);
ClientType TypeOf(const Client& client);

/// The letters of CLIENT LIST's flags: "N" for none.
std::string ClientFlags(const Client& client);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_CLIENT_LINE_H_
