#include "server/persistence/persistence.h"

#include <utility>

#include "replication/files/file_status.h"
#include "server/config/config_store.h"
#include "server/log/log.h"
#include "server/persistence/history_places.h"
#include "server/persistence/snapshot_options.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

Persistence::Persistence(Server& server, Files& files, ApplierFactory appliers)
    : server_(server),
      files_(files),
      journal_(server, files),
      work_(server.clock(), thread_),
      write_health_(server, journal_),
      saver_(server, files, work_, journal_, write_health_),
      log_keeper_(server, files, work_, journal_),
      loader_(server, files, work_, journal_, saver_, log_keeper_, std::move(appliers)) {
  server_.config().Subscribe({"dir"}, [this] { return FollowDirectory(); });
}

Persistence::~Persistence() { work_.ForgoSaving(); }

/// Later snapshots are written there, and the log from its next rewrite on.
absl::Status Persistence::FollowDirectory() {
  absl::Status entered;
  // Work under way uses relative file names.
  const bool idle =
      work_.WhileIdle([&] { entered = files_.EnterDirectory(server_.config().Text("dir")); });
  if (!idle) {
    return absl::UnavailableError("a save or a rewrite is under way, try again when it is done");
  }
  return entered.ok() ? entered : absl::Status(entered.code(), ErrnoText(entered));
}

void Persistence::Tick() {
  write_health_.Update();
  if (work_.under_way() != BackgroundWork::Kind::kNone) return;
  if (!log_keeper_.Tick()) saver_.Tick();
}

// ---- the end

Persistence::EndStep Persistence::PrepareToEnd(ShutdownSave ending, bool force,
                                               absl::FunctionRef<void()> meanwhile) {
  if (!last_turn_ && log_keeper_.WaitsForFirstBase()) {
    LogWarning("Writing initial AOF. {}", force ? "Exit anyway." : "Can't exit.");
    if (!force) return EndStep::kRefused;
  }
  if (!last_turn_) last_turn_.emplace(work_);
  // The snapshot that is given up needs the gates open until it ends.
  if (!last_turn_->Try()) return EndStep::kNotYet;
  const bool saves =
      ending == ShutdownSave::kSave ||
      (ending == ShutdownSave::kDefault && HasSavePoints(server_.config()) && !loader_.loading());
  // Without saving there is nothing to wait for: an endless script must not prevent the end.
  const bool others_follow = journal_.on() || journal_.replicated();
  if ((saves || others_follow) && !TryCloseGates()) return EndStep::kNotYet;
  if (places_ != nullptr && last_hold_ != nullptr) places_->Seal();
  // Saving may be forgone while it is under way.
  if (saves && !work_.saving_forgone() && !saver_.SaveAlone(meanwhile).ok() && !force &&
      !work_.saving_forgone()) {
    LogWarning("Error trying to save the DB, can't exit.");
    GiveUpEnd();
    return EndStep::kRefused;
  }
  log_keeper_.Close();
  return EndStep::kDone;
}

void Persistence::GiveUpEnd() {
  if (places_ != nullptr) places_->Unseal();
  last_hold_.reset();
  last_turn_.reset();
}

bool Persistence::TryCloseGates() {
  if (last_hold_ != nullptr) return true;
  auto hold = std::make_unique<Hold>(server_.keyspace().background_slot());
  // Ahead of all who queue: they are not served any more.
  if (!hold->TryClose(server_.keyspace().databases(), /*queued=*/true)) return false;
  last_hold_ = std::move(hold);
  return true;
}

}  // namespace cloakroom
