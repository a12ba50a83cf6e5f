#ifndef CLOAKROOM_STORAGE_CHANGES_KEY_EVENT_H_
#define CLOAKROOM_STORAGE_CHANGES_KEY_EVENT_H_

#include <string_view>

namespace cloakroom {

/// What happened to a key, by its name in Redis' keyspace notifications ("hset", "del", "expired"
/// …). A string literal.
using KeyEvent = std::string_view;

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_KEY_EVENT_H_
