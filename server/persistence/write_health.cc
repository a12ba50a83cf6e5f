#include "server/persistence/write_health.h"

#include "server/config/config_store.h"
#include "server/persistence/change_journal.h"
#include "server/persistence/snapshot_options.h"

namespace cloakroom {
namespace {

constexpr char kSnapshotRefusal[] =
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is configured "
    "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error "
    "option). Please check the Redis logs for details about the RDB error.";

}  // namespace

WriteHealth::WriteHealth(Server& server, const ChangeJournal& journal)
    : server_(server), journal_(journal) {
  server_.config().Subscribe({"save", "stop-writes-on-bgsave-error"}, [this] {
    Update();
    return absl::OkStatus();
  });
}

void WriteHealth::Update() {
  const bool snapshots_matter =
      server_.settings().stop_writes_on_bgsave_error && HasSavePoints(server_.config());
  MutexLock lock(mutex_);
  refuses_writes_ = (snapshots_matter && !snapshot_ok_) || !journal_.healthy();
}

void WriteHealth::NoteSnapshot(bool ok) {
  {
    MutexLock lock(mutex_);
    snapshot_ok_ = ok;
  }
  Update();
}

bool WriteHealth::StillRefusesWrites() {
  Update();
  return refuses_writes_.load(std::memory_order_relaxed);
}

std::string WriteHealth::Refusal() const {
  return journal_.healthy() ? kSnapshotRefusal : journal_.Refusal();
}

}  // namespace cloakroom
