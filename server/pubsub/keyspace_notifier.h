#ifndef CLOAKROOM_SERVER_PUBSUB_KEYSPACE_NOTIFIER_H_
#define CLOAKROOM_SERVER_PUBSUB_KEYSPACE_NOTIFIER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/context/relay.h"
#include "server/context/server.h"
#include "storage/changes/change_feed.h"

namespace cloakroom {

/// Publishes what happens to keys on the channels `__keyspace@<db>__:<key>`, with the event as the
/// message, and `__keyevent@<db>__:<event>`, with the key. `notify-keyspace-events` chooses the
/// channels (K, E) and the classes of events. Costs nothing while it chooses none.
///
/// Messages are published in the order of the changes to a key, after the hold; under `appendfsync
/// always` they reach their subscribers when the change is durable.
///
/// Thread rule: any thread.
class KeyspaceNotifier final : public ChangeConsumer {
 public:
  /// Follows the setting from now on. The server must outlive it.
  explicit KeyspaceNotifier(Server& server);
  ~KeyspaceNotifier() override;

  void Take(const ChangeBatch& batch, const ChangeOrigin& origin) override;
  void AfterHold() override;

 private:
  struct Event {
    int db;
    KeyEvent name;
    std::string key;
    int64_t durable_from;
  };
  /// Which letters of the setting are chosen, as bits.
  using Classes = uint32_t;

  absl::Status Follow();
  void Publish(const Event& event, Classes classes);

  Server& server_;
  std::atomic<Classes> classes_ = 0;
  Relay<Event> relay_;
};

/// The letter of an event's class in `notify-keyspace-events`; 0 for an event that has none.
char ClassOfEvent(KeyEvent event);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PUBSUB_KEYSPACE_NOTIFIER_H_
