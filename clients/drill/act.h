#ifndef CLOAKROOM_CLIENTS_DRILL_ACT_H_
#define CLOAKROOM_CLIENTS_DRILL_ACT_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "clients/drill/address.h"
#include "clients/drill/options.h"
#include "clients/drill/signal.h"

namespace cloakroom::drill {

/// On whom an act acts.
struct ActContext {
  Where where;
  Address primary;
  std::vector<Address> replicas;
  RunOptions options;
  const Signal* interrupt = nullptr;  ///< ends each wait
  std::function<void(const std::string&)> say;
  /// How long the replicas may need to catch up while writes are paused.
  std::chrono::milliseconds catch_up_limit{3000};
};

/// What happens to the primary. One thread at a time.
class Act {
 public:
  virtual ~Act() = default;
  /// An error says that it did not happen, or not as it should have. Cancelled: interrupted.
  virtual absl::Status Begin() = 0;
  /// Ends what is still in force, such as a cut; nothing when there is nothing, or a second time.
  /// To be called after Begin() whatever it returned.
  virtual absl::Status End() { return absl::OkStatus(); }
};

std::unique_ptr<Act> MakeAct(const ActContext& context);

/// How long after Begin() the act is to be ended; 0: at once.
int64_t HoldSeconds(const RunOptions& options);

/// Asks the primary whether it would do what the act needs, which changes nothing.
/// FailedPrecondition says what to set.
absl::Status CanAct(const ActContext& context);

}  // namespace cloakroom::drill

#endif  // CLOAKROOM_CLIENTS_DRILL_ACT_H_
