#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_EVENT_LOG_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_EVENT_LOG_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/keyspace/keyspace.h"

namespace cloakroom {

/// Records the events of a keyspace during its own lifetime. One thread.
class EventLog final : public ChangeConsumer {
 public:
  using Visit = std::function<void(int db, KeyEvent event, std::string_view key)>;

  EventLog(Keyspace& keyspace, Visit visit) : feed_(keyspace.feed()), visit_(std::move(visit)) {
    feed_.Add(*this);
    feed_.SetWants(*this, kEvents);
  }
  ~EventLog() override { feed_.Remove(*this); }
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void Take(const ChangeBatch& batch, const ChangeOrigin&) override {
    batch.ForEachEvent(
        [this](const ChangeBatch::Event& event) { visit_(event.db, event.name, event.key); });
  }

 private:
  ChangeFeed& feed_;
  const Visit visit_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_EVENT_LOG_H_
