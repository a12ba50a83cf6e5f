#ifndef CLOAKROOM_STORAGE_GATE_GATE_TICKETS_H_
#define CLOAKROOM_STORAGE_GATE_GATE_TICKETS_H_

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "storage/gate/gate.h"

namespace cloakroom {

/// The tickets of a command that waits for one or more gates.
///
/// A command that needs several gates keeps the tickets of gates that refused it before; otherwise
/// storms of scripts on two databases could refuse it in turn for ever. But a ticket makes others
/// stand back, so when the gate that refuses now is in for a long wait, the command gives back the
/// tickets of the others.
///
/// Thread rule: one thread at a time.
class GateTickets {
 public:
  bool any() const { return !tickets_.empty(); }
  void Clear() { tickets_.clear(); }

  /// The gate has refused once more.
  void Refused(Gate& gate) {
    if (gate.busy() || gate.slow()) {
      tickets_.erase(std::remove_if(tickets_.begin(), tickets_.end(),
                                    [&](const auto& one) { return &one.gate() != &gate; }),
                     tickets_.end());
    }
    const bool known = std::any_of(tickets_.begin(), tickets_.end(),
                                   [&](const Gate::Ticket& one) { return &one.gate() == &gate; });
    if (!known) tickets_.emplace_back(gate);
  }

 private:
  absl::InlinedVector<Gate::Ticket, 1> tickets_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_GATE_GATE_TICKETS_H_
