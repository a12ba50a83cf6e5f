#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_KEY_EVENT_LOG_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_KEY_EVENT_LOG_H_

#include <string>
#include <utility>

#include "storage/changes/key_event.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Listens to a keyspace for as long as it lives.
class KeyEventLog final : public KeyspaceObserver {
 public:
  explicit KeyEventLog(Keyspace& keyspace) : keyspace_(keyspace), before_(keyspace.observer()) {
    keyspace_.set_observer(this);
  }
  ~KeyEventLog() override { keyspace_.set_observer(before_); }

  void OnKeyEvent(int, std::string_view key, KeyEvent event) override {
    text_.append(event).append(" ").append(key).append("; ");
  }
  /// What was heard since the last time: "srem a; del a; sadd b; ".
  std::string Take() { return std::exchange(text_, ""); }

 private:
  Keyspace& keyspace_;
  KeyspaceObserver* before_;
  std::string text_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_KEY_EVENT_LOG_H_
