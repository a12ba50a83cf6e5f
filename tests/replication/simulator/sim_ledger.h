#ifndef CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_LEDGER_H_
#define CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_LEDGER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "replication/link/replication_history.h"

namespace cloakroom {

/// What is true of all histories of a simulation, whoever may know it: which history branched off
/// from which, and where; and which data belongs to every offset that a server has ever claimed to
/// be at. The first claim is believed, and all later ones must agree.
///
/// Not thread safe.
class SimLedger {
 public:
  /// From `at` on the new history goes on by itself; up to there it is the old one.
  void Branch(const ReplicationId& id, const HistoryPoint& at);

  /// A server says that its data, with this digest, is that of the point. Returns whether that
  /// agrees with what was said before.
  [[nodiscard]] bool Claim(const HistoryPoint& point, uint64_t digest);

  /// Whether the bytes up to `prefix` are also the first ones of the history up to `whole`.
  bool IsPrefix(const HistoryPoint& prefix, const HistoryPoint& whole) const;

  size_t claims() const { return digests_.size(); }

 private:
  struct Begin {
    std::string from;
    int64_t offset = 0;
  };

  /// The history in which the point's last byte was written.
  std::string OriginOf(const HistoryPoint& point) const;

  std::map<std::string, Begin, std::less<>> branches_;
  std::map<std::pair<std::string, int64_t>, uint64_t> digests_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SIMULATOR_SIM_LEDGER_H_
