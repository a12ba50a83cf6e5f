#ifndef CLOAKROOM_STORAGE_CHANGES_KEY_EVENT_H_
#define CLOAKROOM_STORAGE_CHANGES_KEY_EVENT_H_

#include <string_view>

namespace cloakroom {

/// What happened to a key, by the name that Redis' keyspace notifications give it ("hset", "del",
/// "expired" …). A string literal.
using KeyEvent = std::string_view;

/// Told of every change, by WriteScope, while the key's stripe is held: must be quick and must
/// not touch the keyspace.
class KeyspaceObserver {
 public:
  virtual ~KeyspaceObserver() = default;
  virtual void OnKeyEvent(int db, std::string_view key, KeyEvent event) = 0;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_KEY_EVENT_H_
