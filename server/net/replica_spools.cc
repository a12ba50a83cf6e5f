#include "server/net/replica_spools.h"

#include <utility>

#include "replication/files/file_status.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"

namespace cloakroom {

ReplicaSpools::ReplicaSpools(Server& server, std::function<void(std::function<void()>)> post)
    : server_(server),
      post_(std::move(post)),
      space_(std::make_shared<SpoolSpace>(server.persistence().files(), ".",
                                          server.settings().repl_spool_size_bytes)),
      stream_(space_) {}

StreamSpool::Memory ReplicaSpools::memory() const {
  const Config& settings = server_.settings();
  return {.backlog = settings.repl_backlog_size_bytes, .most = settings.repl_memory_bytes};
}

void ReplicaSpools::Follow(int64_t slowest, int64_t published) {
  if (!may_try_) return;
  const std::optional<StreamSpool::Piece> piece = stream_.Next(slowest, published, memory());
  if (!piece) return;
  ChangeStream& stream = server_.replication().stream();
  PostToDisk([this, &stream, piece = *piece, post = post_] {
    const absl::Status status = StreamSpool::Copy(stream, piece);
    post([this, status] { Copied(status); });
  });
}

void ReplicaSpools::Copied(const absl::Status& status) {
  stream_.Copied(status);
  may_try_ = status.ok();
  if (status.ok()) {
    has_warned_ = false;
  } else if (!std::exchange(has_warned_, true)) {
    LogWarning(
        "Cannot spool the stream for slow replicas: {}. Their limit is now "
        "client-output-buffer-limit replica.",
        MessageOf(status));
  }
}

void ReplicaSpools::Turn() {
  may_try_ = true;
  space_->set_limit(server_.settings().repl_spool_size_bytes);
}

void ReplicaSpools::PostToDisk(std::function<void()> job) {
  // Beside busy event loops a thread behind them has a tenth of a core: it copies 100 MB/s, and
  // large values come three times as fast. What it has not copied fills the memory.
  if (disk_ == nullptr) {
    disk_ = std::make_unique<WorkerPool>(1, WorkerPool::Priority::kAsEventLoops);
  }
  disk_->Post(std::move(job));
}

}  // namespace cloakroom
