#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_TEST_KEYSPACE_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_TEST_KEYSPACE_H_

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "storage/access/lookup.h"
#include "storage/access/write_scope.h"
#include "storage/base/clock.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "storage/values/hash.h"
#include "storage/values/string_value.h"
#include "tests/storage/support/event_log.h"
#include "tests/support/test_clock.h"

namespace cloakroom {

/// A keyspace under a clock that the test moves, with the few changes that tests make to it.
class KeyspaceTest : public testing::Test {
 protected:
  static constexpr GateSlot kSlot = 0;

  KeyspaceTest() {
    event_log_.emplace(keyspace_, [this](int index, KeyEvent event, std::string_view key) {
      events_.append(event).append(" ").append(std::to_string(index)).append(":");
      events_.append(key).append("; ");
    });
  }
  /// Stops recording events, for tests with several threads.
  void TakeNoEvents() { event_log_.reset(); }

  Database& db(int index = 0) { return keyspace_.db(index); }
  int64_t now_ms() const { return clock_.now_ms; }
  void Advance(int64_t ms) { clock_.now_ms += ms; }

  /// Calls `change(WriteScope&)` with the key's stripe held.
  template <typename Change>
  void Write(Database& database, std::string_view key, Change&& change) {
    Hold hold(kSlot, holds_);
    ASSERT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    WriteScope scope(hold, database, key, KeyHash::Of(key), now_ms());
    change(scope);
  }
  void Set(Database& database, std::string_view key, std::string_view value,
           int64_t expire_at_ms = kNoExpiry) {
    Write(database, key, [&](WriteScope& scope) {
      if (scope.exists()) scope.Delete();
      MutableString(scope).Assign(value);
      if (expire_at_ms != kNoExpiry) scope.SetExpiry(expire_at_ms);
      scope.Changed("set");
    });
  }
  void Delete(Database& database, std::string_view key) {
    Write(database, key, [](WriteScope& scope) {
      if (!scope.exists()) return;
      scope.Delete();
      scope.Changed("del");
    });
  }
  /// The live string value of a key.
  std::optional<std::string> Get(Database& database, std::string_view key) {
    Hold hold(kSlot, holds_);
    EXPECT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    const Entry* entry = PeekKey(hold, database, key, KeyHash::Of(key), now_ms());
    if (entry == nullptr) return std::nullopt;
    return std::string(StringView(entry->encoding(), entry->payload()).bytes());
  }
  bool Exists(Database& database, std::string_view key) {
    Hold hold(kSlot, holds_);
    EXPECT_TRUE(hold.TryKey(database, KeyHash::Of(key)));
    return PeekKey(hold, database, key, KeyHash::Of(key), now_ms()) != nullptr;
  }

  /// The events since the last call: "set 0:key; ".
  std::string TakeEvents() { return std::exchange(events_, ""); }

  /// The watcher lives as long as the keyspace, which signals watchers until its end.
  Watcher& NewWatcher() { return watchers_.emplace_back(); }

  /// The context of the holds above; for tests with one thread.
  HoldContext* holds_ = nullptr;
  TestClock clock_;
  std::deque<Watcher> watchers_;
  Keyspace keyspace_{{.databases = 3, .event_loops = 2}, clock_};

 private:
  std::string events_;
  std::optional<EventLog> event_log_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_TEST_KEYSPACE_H_
