#ifndef CLOAKROOM_SERVER_ROLES_FULL_SYNC_H_
#define CLOAKROOM_SERVER_ROLES_FULL_SYNC_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "replication/link/fan_out_sink.h"
#include "replication/link/replica_options.h"
#include "server/persistence/background_work.h"
#include "server/roles/replication.h"

namespace cloakroom {

/// What a full sync makes, and whom it tells.
struct FullSync {
  /// Takes the RDB while it is made; null: the RDB goes into the snapshot's file (dbfilename).
  std::shared_ptr<FanOutSink> sink;
  /// Which parts the replicas want.
  bool exclude_data = false;
  bool exclude_functions = false;
  /// True: nobody wants the RDB any more.
  std::shared_ptr<const std::atomic<bool>> unwanted;
  /// Called at the RDB's instant, with all gates closed, and when it is complete or has failed. On
  /// the save thread; they must only post.
  std::function<void(const Replication::FullSyncPoint&)> at_instant;
  std::function<void(const absl::Status&)> done;
};

/// Begins it in the background and returns kNone; or, if other work is under way, returns its kind
/// and begins nothing. Any thread.
BackgroundWork::Kind BeginFullSync(Server& server, FullSync sync);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_FULL_SYNC_H_
