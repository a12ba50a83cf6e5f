#include "clients/drill/ask.h"

#include <optional>
#include <utility>
#include <vector>

#include "protocol/text.h"

namespace cloakroom::drill {

absl::StatusOr<RespClient> Open(const Address& address, const Credentials& login,
                                int64_t timeout_ms) {
  RespClient client;
  client.set_timeout_ms(timeout_ms);
  const bool connected = client.ConnectTcp(address.host, address.port);
  const bool logs_in = !login.password.empty();
  if (connected && logs_in) {
    if (login.user.empty())
      client.Queue({"AUTH", login.password});
    else
      client.Queue({"AUTH", login.user, login.password});
  }
  if (connected) client.Queue({"CLIENT", "SETNAME", kClientName});
  std::optional<std::vector<ReplyValue>> replies;
  if (connected) replies = client.Flush();
  if (!replies) {
    return absl::UnavailableError(Concat({ToText(address), ": ", client.error()}));
  }
  // A server without names for connections is still a server.
  if (logs_in && replies->front().is_error()) {
    return absl::FailedPreconditionError(
        Concat({ToText(address), ": cannot log in: ", replies->front().text}));
  }
  return client;
}

absl::StatusOr<ReplyValue> Ask(RespClient& client, std::initializer_list<std::string_view> words) {
  std::optional<ReplyValue> reply = client.Call(words);
  if (!reply) return absl::UnavailableError(client.error());
  if (reply->is_error()) return absl::FailedPreconditionError(reply->text);
  return *std::move(reply);
}

absl::StatusOr<InfoText> AskInfo(RespClient& client, std::string_view section) {
  absl::StatusOr<ReplyValue> reply =
      section.empty() ? Ask(client, {"INFO"}) : Ask(client, {"INFO", section});
  if (!reply.ok()) return reply.status();
  return InfoText(reply->text);
}

std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace cloakroom::drill
