#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "server/script/sha1.h"
#include "storage/keyspace/entry.h"

namespace cloakroom {

/// A fingerprint of data (DEBUG DIGEST), equal to that of a redis-server with the same data. It
/// starts as zeros, and parts are added to it:
///
///   Xor(text)  digest = digest ^ SHA1(text)           the order does not count
///   Mix(text)  digest = SHA1(digest ^ SHA1(text))     the order counts
///
///   data     = Mix(number), Xor(entry) for each     of each database that has keys
///   entry    = Mix(key), value                      a digest of its own, as are the items below
///   value    = Mix(type), items, Xor("!!expire!!") if the key expires
///   items    = Mix(string) | Mix(element) of lists | Xor(member) of sets
///              | Xor(Mix(field) Mix(value)) of hashes | Xor(Mix(member) Mix(score)) of sorted sets
///              | Mix("ms.seq"), Mix(field), Mix(value), Mix(field) … of streams
///
/// Numbers and types are 4 bytes, high ones first. Neither the time of an expiry nor the groups of
/// a stream are in it. Source: experiments with redis-server. Redis has no fields or members that
/// expire in that version: here Xor("!!hexpire!!") marks them. Expired items do not count.
class Digest {
 public:
  void Mix(std::string_view text);
  void Xor(std::string_view text);
  void MixNumber(uint32_t number);
  /// Adds a key with its value.
  void XorEntry(const Entry& entry, int64_t now_ms);
  /// Adds a value. REQUIRES: the stripe is held.
  void MixValue(const Entry& entry, int64_t now_ms);

  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  std::string hex() const;

 private:
  Sha1Bytes bytes_{};
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_DIGEST_H_
