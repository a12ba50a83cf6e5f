#include "clients/drill/primary_finder.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "clients/drill/ask.h"
#include "clients/drill/topology.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

absl::StatusOr<Address> AskForPrimary(const Address& sentinel, const Where& where,
                                      int64_t timeout_ms) {
  absl::StatusOr<RespClient> client = Open(sentinel, where.sentinel_login, timeout_ms);
  if (!client.ok()) return client.status();
  absl::StatusOr<ReplyValue> reply =
      Ask(*client, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", where.master});
  if (!reply.ok()) return reply.status();
  std::optional<Address> address = ReadPrimaryAddress(*reply);
  if (address) return *std::move(address);
  return absl::NotFoundError(
      Concat({ToText(sentinel), ": watches no primary of the name '", where.master, "'"}));
}

}  // namespace

absl::StatusOr<Address> PrimaryFinder::AskSentinels() {
  const std::vector<Address>& sentinels = options_.where.sentinels;
  absl::Status last;
  for (size_t tried = 0; tried < sentinels.size(); ++tried) {
    const size_t i = (first_ + tried) % sentinels.size();
    absl::StatusOr<Address> address =
        AskForPrimary(sentinels[i], options_.where, options_.timeout_ms);
    if (address.ok()) {
      first_ = i;
      return address;
    }
    last = address.status();
  }
  return last;
}

absl::StatusOr<RespClient> PrimaryFinder::ConnectVerified(const Address& address) {
  absl::StatusOr<RespClient> client = Open(address, options_.where.login, options_.timeout_ms);
  if (!client.ok()) return client;
  absl::StatusOr<ReplyValue> reply = Ask(*client, {"ROLE"});
  if (!reply.ok()) return reply.status();
  const std::optional<Role> role = ReadRole(*reply);
  if (role && role->is_primary) return client;
  return absl::NotFoundError(Concat({ToText(address), ": is no primary"}));
}

absl::StatusOr<RespClient> PrimaryFinder::ConnectToAny(Address* found) {
  const std::vector<Address>& servers = options_.servers;
  absl::Status last = absl::NotFoundError("no server is known");
  for (size_t tried = 0; tried < servers.size(); ++tried) {
    const size_t i = (first_ + tried) % servers.size();
    absl::StatusOr<RespClient> client = ConnectVerified(servers[i]);
    if (client.ok()) {
      first_ = i;
      *found = servers[i];
      return client;
    }
    // A server that gave no answer says more than a replica that is no primary.
    if (absl::IsNotFound(last)) last = client.status();
  }
  return last;
}

absl::StatusOr<Address> PrimaryFinder::Find() {
  if (options_.where.has_sentinels()) return AskSentinels();
  Address found;
  const absl::StatusOr<RespClient> client = ConnectToAny(&found);
  if (!client.ok()) return client.status();
  return found;
}

absl::StatusOr<RespClient> PrimaryFinder::Connect() {
  if (options_.at) return Open(*options_.at, options_.where.login, options_.timeout_ms);
  Address found;
  if (!options_.where.has_sentinels()) return ConnectToAny(&found);
  absl::StatusOr<Address> address = AskSentinels();
  if (!address.ok()) return address.status();
  return ConnectVerified(*address);
}

}  // namespace cloakroom::drill
