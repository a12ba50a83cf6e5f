#ifndef CLOAKROOM_SERVER_SESSIONS_OPEN_REQUEST_H_
#define CLOAKROOM_SERVER_SESSIONS_OPEN_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "storage/sessions/session_queue.h"

namespace cloakroom {

class BlockedRequest;

/// A SESSION.OPEN, or a poll of a plain client, that waits for a lock, from its first run to its
/// reply. Its request runs again each time something has happened: the lock is its own, or one of
/// its times has come.
///
/// Thread rule: its client's event loop; `parked` and the place in the queue belong to whoever
/// holds the stripe of its key, or has closed the gate.
class OpenRequest final : public SessionWaiter {
 public:
  OpenRequest(SessionClient client, int64_t lease_ms, int its_db, std::string its_key,
              Kind kind = Kind::kOpen)
      : SessionWaiter(std::move(client), lease_ms, kind), db(its_db), key(std::move(its_key)) {}

  const int db;
  const std::string key;
  uint64_t client_id = 0;  ///< for CLIENT KILL and its like
  // Of the monotonic clock.
  int64_t began_us = 0;
  int64_t wait_until_ms = 0;
  int64_t put_off_until_ms = 0;  ///< until then it does not break the holder's lease
  /// The request while it is parked. Null: it is about to run again anyway.
  std::shared_ptr<BlockedRequest> parked;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSIONS_OPEN_REQUEST_H_
