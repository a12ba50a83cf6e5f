#ifndef CLOAKROOM_CLIENTS_DRILL_PRIMARY_FINDER_H_
#define CLOAKROOM_CLIENTS_DRILL_PRIMARY_FINDER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/address.h"
#include "clients/drill/options.h"
#include "clients/resp_client.h"

namespace cloakroom::drill {

/// Finds the primary as the clients of a shop do: through the Sentinels, of which the first that
/// answers is asked first the next time, with the primary's role verified; or at a fixed address;
/// or, where there is neither, by asking every server for its role.
///
/// Errors as in ask.h; NotFound when nobody names a primary. Not thread safe: each client has one.
class PrimaryFinder {
 public:
  struct Options {
    Where where;
    std::vector<Address> servers;  ///< all that may be the primary; used without Sentinels
    std::optional<Address> at;     ///< the fixed address
    int64_t timeout_ms = 2000;     ///< of each connect and each reply
  };

  explicit PrimaryFinder(Options options) : options_(std::move(options)) {}

  /// Which server is the primary: by the Sentinels, else by the servers' roles.
  absl::StatusOr<Address> Find();
  /// A connection to the primary.
  absl::StatusOr<RespClient> Connect();

 private:
  absl::StatusOr<Address> AskSentinels();
  absl::StatusOr<RespClient> ConnectVerified(const Address& address);
  absl::StatusOr<RespClient> ConnectToAny(Address* found);

  Options options_;
  size_t first_ = 0;  // the Sentinel, or the server, that answered last
};

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_PRIMARY_FINDER_H_
