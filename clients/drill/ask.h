#ifndef CLOAKROOM_CLIENTS_DRILL_ASK_H_
#define CLOAKROOM_CLIENTS_DRILL_ASK_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clients/drill/address.h"
#include "clients/drill/info_text.h"
#include "clients/drill/options.h"
#include "clients/resp_client.h"

namespace cloakroom::drill {

// How the drill talks to a server. Any thread may call these, each with its own connection. Errors:
// Unavailable when there is no connection, a time-out or no valid reply; FailedPrecondition with
// the server's text when it answers an error. No message has a password in it.

/// The name of the drill's connections in CLIENT LIST.
inline constexpr std::string_view kClientName = "cloakroom-drill";

/// How long a tool waits for a server that is healthy.
inline constexpr int64_t kAskTimeoutMs = 2000;

/// Connects, logs in if there is a password, and names the connection.
absl::StatusOr<RespClient> Open(const Address& address, const Credentials& login,
                                int64_t timeout_ms = kAskTimeoutMs);

absl::StatusOr<ReplyValue> Ask(RespClient& client, std::initializer_list<std::string_view> words);

/// INFO, or a section of it.
absl::StatusOr<InfoText> AskInfo(RespClient& client, std::string_view section = {});

/// A status' message.
std::string TextOf(const absl::Status& status);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_ASK_H_
