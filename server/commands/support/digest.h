#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/keyspace/entry.h"

namespace cloakroom {

/// A fingerprint of values, to compare what two servers hold (DEBUG DIGEST). It is our own and does
/// not agree with Redis': the SHA1 of a value's type and content; where order means nothing
/// (members of a set, fields, keys of a database), the exclusive or of the SHA1 of each. Fields and
/// keys that have expired do not count; those that will are digested with their time.
class Digest {
 public:
  /// Adds in any order: the same twice cancels out.
  void Mix(std::string_view text);
  /// A key with its value, in database `db`.
  void MixEntry(int db, const Entry& entry, int64_t now_ms);

  std::string hex() const;

 private:
  std::array<uint8_t, 20> bytes_{};
};

/// The digest of a value alone; 40 zeros for none (null). The caller holds the stripe.
std::string DigestOfValue(const Entry* entry, int64_t now_ms);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_
