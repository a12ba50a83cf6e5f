#ifndef CLOAKROOM_SERVER_EXECUTION_BATCH_H_
#define CLOAKROOM_SERVER_EXECUTION_BATCH_H_

#include <cstddef>
#include <vector>

#include "protocol/request_parser.h"
#include "server/execution/request.h"

namespace cloakroom {

/// Requests of one or more clients. They are parsed, then looked up and fetched into the cache
/// together (Executor::Prepare), and then executed one by one. They are views into bytes that
/// whoever fills the batch keeps unchanged. The batch's memory is reused.
///
/// Thread rule: the thread of its executor.
struct Batch {
  struct Place {
    size_t first;  ///< index in arguments
    size_t count;
    size_t end;  ///< offset behind the request, in its client's bytes
    int db;      ///< the client's database when the request was parsed
  };

  size_t size() const { return places.size(); }
  void Clear() {
    arguments.clear();
    places.clear();
    requests.clear();
  }

  RequestParser::Arguments arguments;
  std::vector<Place> places;
  std::vector<Request> requests;  ///< one for each place, once the batch is prepared
};

/// The batches that an event loop has under way. While a script lets the loop serve others, its own
/// batches are put aside.
struct Batches {
  Batch round;  ///< the first requests of clients that are served together
  Batch turn;   ///< the further requests of one client's turn
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_BATCH_H_
