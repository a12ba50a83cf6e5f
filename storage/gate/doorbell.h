#ifndef CLOAKROOM_STORAGE_GATE_DOORBELL_H_
#define CLOAKROOM_STORAGE_GATE_DOORBELL_H_

#include <chrono>
#include <memory>

#include "storage/gate/gate.h"

namespace cloakroom {

/// Wakes a thread that waits for gates. Thread rule: one thread, which may sleep.
class Doorbell {
 public:
  /// How long it sleeps at most, so that its user can check whether to give up.
  static constexpr std::chrono::milliseconds kLookAgain{10};
  /// How long it sleeps when what is occupied is no gate.
  static constexpr std::chrono::microseconds kSoon{200};

  /// Returns when another try is worth it, or after kLookAgain. `gate`: null for "soon".
  void Await(Gate* gate, Gate::Wish wish);

 private:
  struct Bell;

  Gate* gate_ = nullptr;        ///< the gate that will ring
  std::shared_ptr<Bell> bell_;  ///< shared: it may ring when nobody listens any more
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_GATE_DOORBELL_H_
