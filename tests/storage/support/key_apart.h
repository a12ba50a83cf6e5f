#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_KEY_APART_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_KEY_APART_H_

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// A key in another stripe than these. Each process places keys anew, and in one of 256 any two
/// keys share a stripe.
inline std::string KeyApartFrom(std::initializer_list<std::string_view> keys) {
  for (int i = 0;; ++i) {
    std::string name = "apart" + std::to_string(i);
    const uint32_t stripe = KeyHash::Of(name).stripe();
    if (std::ranges::none_of(
            keys, [&](std::string_view key) { return KeyHash::Of(key).stripe() == stripe; })) {
      return name;
    }
  }
}

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_KEY_APART_H_
