#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_KEY_EVENT_LOG_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_KEY_EVENT_LOG_H_

#include <string>
#include <utility>

#include "tests/storage/support/event_log.h"

namespace cloakroom {

/// Records the key events of a keyspace during its own lifetime.
class KeyEventLog {
 public:
  explicit KeyEventLog(Keyspace& keyspace)
      : log_(keyspace, [this](int, KeyEvent event, std::string_view key) {
          text_.append(event).append(" ").append(key).append("; ");
        }) {}

  /// The events since the last call: "srem a; del a; sadd b; ".
  std::string Take() { return std::exchange(text_, ""); }

 private:
  std::string text_;
  EventLog log_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_KEY_EVENT_LOG_H_
