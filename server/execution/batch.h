#ifndef CLOAKROOM_SERVER_EXECUTION_BATCH_H_
#define CLOAKROOM_SERVER_EXECUTION_BATCH_H_

#include <cstddef>
#include <vector>

#include "protocol/request_parser.h"
#include "server/execution/request.h"

namespace cloakroom {

/// Requests that are parsed, then looked up and fetched into the cache together
/// (Executor::Prepare), and then executed one by one: of one client or of several. They are views
/// into bytes that whoever fills it keeps as they are. Its memory serves again.
///
/// Thread rule: the thread of its executor.
struct Batch {
  struct Place {
    size_t first;  ///< argument
    size_t count;
    size_t end;  ///< offset of what follows, in the bytes of its client
    int db;      ///< which its client had when it was parsed
  };

  size_t size() const { return places.size(); }
  void Clear() {
    arguments.clear();
    places.clear();
    requests.clear();
  }

  RequestParser::Arguments arguments;
  std::vector<Place> places;
  std::vector<Request> requests;  ///< of each place, once it is prepared
};

/// What an event loop has under way. A script that lets others be served keeps its own.
struct Batches {
  Batch round;  ///< the first requests of clients that are served together
  Batch turn;   ///< what one client's turn goes on with
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_BATCH_H_
