#ifndef CLOAKROOM_SERVER_NET_REPLICA_SPOOLS_H_
#define CLOAKROOM_SERVER_NET_REPLICA_SPOOLS_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "replication/files/spool.h"
#include "replication/stream/stream_spool.h"
#include "server/context/worker_pool.h"
#include "server/net/spool_reader.h"

namespace cloakroom {

class Server;

/// What slow replicas need and memory does not keep: the spool of the stream, the room for those of
/// RDBs, and the thread that copies and reads, because it may wait for the disk. It starts with the
/// first spool.
///
/// Thread rule: the replication thread.
class ReplicaSpools {
 public:
  /// `post` runs a task on the replication thread; it may be called after this has gone.
  ReplicaSpools(Server& server, std::function<void(std::function<void()>)> post);
  /// Waits for what is being copied or read.
  ~ReplicaSpools() = default;
  ReplicaSpools(const ReplicaSpools&) = delete;
  ReplicaSpools& operator=(const ReplicaSpools&) = delete;

  /// For spools of RDBs, whose makers may outlive this.
  const std::shared_ptr<SpoolSpace>& space() const { return space_; }
  const StreamSpool& stream() const { return stream_; }
  /// How much of the stream memory may keep, as the settings are now.
  StreamSpool::Memory memory() const;

  /// Copies what memory should not keep, while others go on. `slowest`: the least cursor.
  void Follow(int64_t slowest, int64_t published);
  /// Some time has passed: follows the settings, and tries again what has failed.
  void Turn();
  /// Runs a job on the disk thread.
  void PostToDisk(std::function<void()> job);

 private:
  void Copied(const absl::Status& status);

  Server& server_;
  const std::function<void(std::function<void()>)> post_;
  const std::shared_ptr<SpoolSpace> space_;
  StreamSpool stream_;
  bool may_try_ = true;      ///< after a failure: once each turn
  bool has_warned_ = false;  ///< of that failure
  std::unique_ptr<WorkerPool> disk_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_NET_REPLICA_SPOOLS_H_
