#ifndef CLOAKROOM_SERVER_INFO_CLIENT_LINE_H_
#define CLOAKROOM_SERVER_INFO_CLIENT_LINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/session/client.h"

namespace cloakroom {

/// What CLIENT LIST says of a client: Redis 7.2's fields in its order, without a line end. Any
/// thread; the figures are those of a moment ago.
std::string ClientLine(const Client& client, int64_t now_ms);

/// What CLIENT LIST TYPE and CLIENT KILL TYPE ask for.
enum class ClientType : uint8_t { kNormal, kPubSub, kReplica, kPrimary };

/// In any case: normal, pubsub, replica, slave, master.
std::optional<ClientType> ParseClientType(std::string_view text);
ClientType TypeOf(const Client& client);

/// Memory that the connection costs, roughly, in bytes.
int64_t MemoryOf(const Client& client);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_CLIENT_LINE_H_
