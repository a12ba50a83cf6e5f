#ifndef CLOAKROOM_SERVER_NET_NAME_LOOKUP_H_
#define CLOAKROOM_SERVER_NET_NAME_LOOKUP_H_

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// Looks up the addresses of a name without making anybody wait. A resolver may take many seconds,
/// and cannot be stopped: one lookup runs at a time, on a thread that outlives this if it must, and
/// of those that wait for it only the newest counts.
///
/// Thread rule: one thread.
class NameLookup {
 public:
  struct Target {
    sockaddr_storage address;
    socklen_t size;
  };
  struct Result {
    std::vector<Target> targets;  ///< in the resolver's order
    absl::Status status;          ///< with the resolver's text
  };
  /// Called on any thread, perhaps at once; must only post. It may be called after the lookup has
  /// gone.
  using Found = std::function<void(const Result&)>;

  NameLookup() : state_(std::make_shared<State>()) {}
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// A literal address is found at once.
  void Begin(std::string host, int port, Found found);

 private:
  struct Job {
    std::string host;
    int port;
    Found found;
  };
  struct State {
    Mutex mutex;
    bool busy ABSL_GUARDED_BY(mutex) = false;
    std::optional<Job> next ABSL_GUARDED_BY(mutex);
  };
  static Result Find(const std::string& host, int port, int flags);
  static void Run(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_NAME_LOOKUP_H_
