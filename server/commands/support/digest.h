#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/keyspace/entry.h"

namespace cloakroom {

/// A fingerprint of values, to compare the data of two servers (DEBUG DIGEST). It differs from
/// Redis': it is the SHA1 of a value's type and content or, of a collection, the exclusive or of the
/// SHA1 of each item, with its place where the order matters (lists). Expired fields and
/// keys do not count; an expiry is part of the digest.
class Digest {
 public:
  /// Adds a text, in any order; the same text twice cancels out.
  void Mix(std::string_view text);
  /// A key with its value, in database `db`.
  void MixEntry(int db, const Entry& entry, int64_t now_ms);

  std::string hex() const;

 private:
  std::array<uint8_t, 20> bytes_{};
};

/// The digest of a value alone; 40 zeros for null. REQUIRES: the stripe is held.
std::string DigestOfValue(const Entry* entry, int64_t now_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_
