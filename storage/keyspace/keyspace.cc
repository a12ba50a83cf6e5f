#include "storage/keyspace/keyspace.h"

#include "storage/access/flush.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"

namespace cloakroom {

Keyspace::Keyspace(const Options& options, const Clock& clock)
    : clock_(clock),
      event_loops_(options.event_loops),
      reclaimer_(std::make_unique<Reclaimer>()),
      snapshot_(std::make_unique<Snapshot>(*this)) {
  for (int i = 0; i < options.databases; ++i) {
    databases_.push_back(std::make_unique<Database>(i, options.event_loops + 1, *this));
    all_.push_back(databases_.back().get());
  }
}

Keyspace::~Keyspace() {
  for (Database* db : all_) DropContents(*db);
}

int64_t Keyspace::uncounted_bytes() const {
  const ChangeLog* log = feed_.log();
  return static_cast<int64_t>(snapshot_->pre_image_bytes()) +
         (log == nullptr ? 0 : log->buffered_bytes());
}

int64_t Keyspace::changes() const {
  int64_t total = counters_.flush_changes.load(std::memory_order_relaxed);
  for (const auto& database : databases_) total += database->changes();
  return total;
}

}  // namespace cloakroom
