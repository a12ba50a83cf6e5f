#include "clients/drill/ask.h"

#include <utility>
#include <vector>

#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

absl::Status At(const Address& address, const absl::Status& failed) {
  return absl::Status(failed.code(), Concat({ToText(address), ": ", TextOf(failed)}));
}

}  // namespace

absl::StatusOr<RespClient> Open(const Address& address, const Credentials& login,
                                int64_t timeout_ms) {
  RespClient client;
  client.set_timeout_ms(timeout_ms);
  const absl::Status connected = client.ConnectTcp(address.host, address.port);
  if (!connected.ok()) return At(address, connected);
  const bool logs_in = !login.password.empty();
  if (logs_in) {
    if (login.user.empty())
      client.Queue({"AUTH", login.password});
    else
      client.Queue({"AUTH", login.user, login.password});
  }
  client.Queue({"CLIENT", "SETNAME", kClientName});
  const absl::StatusOr<std::vector<ReplyValue>> replies = client.Flush();
  if (!replies.ok()) return At(address, replies.status());
  // A server without names for connections is still a server.
  if (logs_in && replies->front().is_error()) {
    return absl::FailedPreconditionError(
        Concat({ToText(address), ": cannot log in: ", replies->front().text}));
  }
  return client;
}

absl::StatusOr<ReplyValue> Ask(RespClient& client, std::initializer_list<std::string_view> words) {
  absl::StatusOr<ReplyValue> reply = client.Call(words);
  if (reply.ok() && reply->is_error()) return absl::FailedPreconditionError(reply->text);
  return reply;
}

absl::StatusOr<InfoText> AskInfo(RespClient& client, std::string_view section) {
  absl::StatusOr<ReplyValue> reply =
      section.empty() ? Ask(client, {"INFO"}) : Ask(client, {"INFO", section});
  if (!reply.ok()) return reply.status();
  return InfoText(reply->text);
}

std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace cloakroom::drill
