#ifndef CLOAKROOM_SERVER_TRACKING_INVALIDATION_H_
#define CLOAKROOM_SERVER_TRACKING_INVALIDATION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/session/client.h"
#include "server/session/client_registry.h"

namespace cloakroom {

/// Messages that tell clients which of the keys that they cache have changed. Those to one client
/// are pushed together, so that they leave in one system call.
///
/// Thread rule: any thread; each object belongs to one.
class InvalidationMessages {
 public:
  explicit InvalidationMessages(const ClientRegistry& clients) : clients_(clients) {}

  /// Writes a message to a client that tracks, or to the client to which it redirects: these keys
  /// have changed; nullopt: all may have. In RESP3 it is a push `invalidate`. In RESP2 only a
  /// redirection can carry it: a message on the channel `__redis__:invalidate` to a client that has
  /// subscribed to something. A redirection to a client that is gone is reported to a RESP3 client
  /// as `tracking-redir-broken`.
  void Tell(Client& client, std::optional<std::span<const std::string_view>> keys);
  /// Pushes what has been written.
  void Send();

 private:
  const ClientRegistry& clients_;
  /// By the receiver's id. Null: the client is going.
  std::map<uint64_t, std::pair<std::shared_ptr<ClientLink>, std::string>> texts_;

  /// Where the client's messages are written.
  std::string& TextTo(const Client& client);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_TRACKING_INVALIDATION_H_
