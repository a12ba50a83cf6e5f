#ifndef CLOAKROOM_SERVER_SESSION_CLIENT_TRACKING_H_
#define CLOAKROOM_SERVER_SESSION_CLIENT_TRACKING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/relaxed.h"

namespace cloakroom {

/// What CLIENT TRACKING and CLIENT CACHING have set for one client.
///
/// Thread rule: only the client's own thread writes, except `redirect_broken`; other threads may
/// read what is Relaxed.
struct ClientTracking {
  enum class Caching : uint8_t { kUnsaid, kYes, kNo };

  Relaxed<bool> on = false;
  Relaxed<bool> bcast = false;     ///< is told of all keys with its prefixes, not of those it read
  Relaxed<bool> optin = false;     ///< only reads behind CLIENT CACHING YES count
  Relaxed<bool> optout = false;    ///< reads behind CLIENT CACHING NO do not count
  Relaxed<bool> noloop = false;    ///< is not told of its own changes
  Relaxed<uint64_t> redirect = 0;  ///< the client that is told instead; 0: none
  Relaxed<bool> redirect_broken = false;  ///< that client is gone
  std::vector<std::string> prefixes;      ///< under BCAST; "": all keys

  /// For the next request other than a CLIENT command, or for the transaction that it begins.
  Caching caching = Caching::kUnsaid;

  /// Whether the keys that the present command reads are to be remembered.
  bool remembers() const {
    return on && !bcast && (!optin || caching == Caching::kYes) &&
           (!optout || caching != Caching::kNo);
  }
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_CLIENT_TRACKING_H_
