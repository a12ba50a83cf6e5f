#ifndef CLOAKROOM_SERVER_ROLES_FULL_SYNC_LOAD_H_
#define CLOAKROOM_SERVER_ROLES_FULL_SYNC_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/files/files.h"
#include "replication/link/primary_link_action.h"
#include "replication/link/replication_history.h"
#include "server/context/server.h"
#include "server/roles/replication.h"
#include "server/roles/sync_pipe.h"

namespace cloakroom {

/// A full sync on the replica's side: takes the RDB that the primary sends, and puts it in place of
/// all data. By way of a file, the present data is served until the RDB is whole. Otherwise it is
/// loaded while it comes: in place of data that there is none of, or beside ours, which then stays
/// if that fails, and is served meanwhile if it is of the same history. A thread of its own does
/// all this, since it waits for the disk and for gates.
///
/// Thread rule: one thread.
class FullSyncLoad {
 public:
  struct Plan {
    Replication::Turn turn = 0;
    std::optional<HistoryPoint> point;  ///< of the data, if the primary named it
    int64_t size = -1;                  ///< of the RDB; -1: unknown
    SyncLoad load = SyncLoad::kDisk;
    uint64_t number = 0;  ///< of this sync: two may end at the same time
  };
  /// Called on its thread; each must only post.
  struct Callbacks {
    std::function<void()> room;  ///< the pipe has room again
    /// The file cannot be written.
    std::function<void(absl::Status)> not_received;
    /// The data is loaded; or it could not be, and then there is none, or still the old one.
    std::function<void(absl::Status)> ended;
  };

  FullSyncLoad(Server& server, Plan plan, Callbacks callbacks);
  /// Waits for the thread.
  ~FullSyncLoad();
  FullSyncLoad(const FullSyncLoad&) = delete;
  FullSyncLoad& operator=(const FullSyncLoad&) = delete;

  /// Takes the RDB; Finish() when it is whole.
  SyncPipe& pipe() { return pipe_; }
  /// Ends it soon. A callback may still come.
  void GiveUp();
  /// The thread is about to end.
  bool over() const { return over_.load(); }

 private:
  void Run();
  /// Returns the file, which then also has the snapshot's name.
  absl::StatusOr<std::unique_ptr<ReadableFile>> ReceiveFile(const std::string& path);
  absl::Status LoadFile(ReadableFile& file);
  absl::Status Load(ByteSource& source, uint64_t size);

  Server& server_;
  const Plan plan_;
  const Callbacks callbacks_;
  SyncPipe pipe_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_ROLES_FULL_SYNC_LOAD_H_
