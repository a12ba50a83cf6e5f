#ifndef CLOAKROOM_REPLICATION_LINK_REPLICATION_ID_H_
#define CLOAKROOM_REPLICATION_LINK_REPLICATION_ID_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/random/bit_gen_ref.h"

namespace cloakroom {

/// The name of a history: 40 hexadecimal digits, as in master_replid. A value; any thread.
class ReplicationId {
 public:
  static constexpr size_t kLength = 40;

  /// No history: 40 zeros, as INFO shows it.
  ReplicationId() { digits_.fill('0'); }
  /// An id that no other server has. Lower case.
  static ReplicationId Random(absl::BitGenRef random);
  /// nullopt unless `text` is 40 hexadecimal digits, of either case.
  static std::optional<ReplicationId> Parse(std::string_view text);

  std::string_view text() const { return {digits_.data(), digits_.size()}; }
  /// Whether a peer means this id: letters compare without case, as in Redis.
  bool Is(std::string_view text) const;
  bool none() const { return *this == ReplicationId(); }

  friend bool operator==(const ReplicationId&, const ReplicationId&) = default;

 private:
  std::array<char, kLength> digits_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_LINK_REPLICATION_ID_H_
