#ifndef CLOAKROOM_STORAGE_BASE_TEXT_HASH_H_
#define CLOAKROOM_STORAGE_BASE_TEXT_HASH_H_

#include <cstdint>
#include <string_view>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace cloakroom {

/// A hash of bytes that a client may choose: 64 bits, seeded per process by where the system has
/// put it, so that nobody can send keys that collide. Any thread.
///
/// Debian builds abseil with a string_view of its own. For std::string_view abseil would fall back
/// to std::hash, which has a fixed seed and whose collisions anybody can compute.
inline uint64_t HashText(std::string_view text) {
  return absl::Hash<absl::string_view>{}(absl::string_view(text.data(), text.size()));
}

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_BASE_TEXT_HASH_H_
