#include "server/roles/full_sync.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "replication/files/file_status.h"
#include "replication/rdb/rdb_format.h"
#include "replication/rdb/rdb_writer.h"
#include "replication/rdb/snapshot_file.h"
#include "replication/rdb/snapshot_writer.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/log/log.h"
#include "server/persistence/persistence.h"
#include "server/persistence/snapshot_options.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

/// Replicas older than Redis 7.0 read no version that has functions.
bool ForOldReplicas(const Server& server) {
  return server.settings().repl_oldest_replica != OldestReader::kRedis7;
}

SnapshotHead HeadAt(Server& server, const FullSync& sync) {
  SnapshotHead head = HeadOf(server, /*log_base=*/false);
  // The file is this server's own snapshot as well.
  const bool sends = sync.sink != nullptr;
  if (sync.exclude_functions || (sends && ForOldReplicas(server))) head.functions.clear();
  return head;
}

/// An RDB without keys: what `redis-cli --functions-rdb` asks for.
absl::Status WriteHead(Server& server, ByteSink& sink,
                       absl::FunctionRef<SnapshotHead()> at_instant) {
  SnapshotHead head;
  {
    Hold hold(server.keyspace().background_slot());
    hold.WaitAndCloseAll(server.keyspace());
    head = at_instant();
  }
  RdbWriter writer(sink, {.version = rdb::kFirstFunctions});
  writer.Begin();
  for (const auto& [key, value] : head.aux) writer.Aux(key, value);
  for (const std::string& source : head.functions) writer.Function(source);
  writer.End();
  return writer.status();
}

absl::Status WriteRdb(Server& server, const FullSync& sync,
                      absl::FunctionRef<SnapshotHead()> at_instant) {
  BackgroundWork& work = server.persistence().work();
  const auto stop = [&] {
    if (!work.given_up() && !*sync.unwanted) return false;
    // A replica that reads slowly must not hold up the end of the server.
    if (sync.sink != nullptr) sync.sink->GiveUp();
    return true;
  };
  SnapshotOptions options = SnapshotOptionsFrom(server);
  options.log_follows = true;
  if (ForOldReplicas(server)) options.oldest_version = rdb::kOldestWritten;
  if (sync.sink == nullptr) {
    const SnapshotPlace place = {.path = server.config().Text("dbfilename"),
                                 .temporary_path = "temp-" + std::to_string(getpid()) + ".rdb",
                                 .incremental_fsync = server.settings().rdb_save_incremental_fsync};
    return WriteSnapshotFile(server.keyspace(), server.persistence().files(), place, options,
                             at_instant, stop)
        .status();
  }
  if (sync.exclude_data) return WriteHead(server, *sync.sink, at_instant);
  return WriteSnapshot(server.keyspace(), *sync.sink, options, at_instant, stop).status();
}

absl::Status Run(Server& server, const FullSync& sync) {
  const auto at_instant = [&] {
    const Replication::FullSyncPoint begin = server.replication().BeginFullSync();
    sync.at_instant(begin);
    return HeadAt(server, sync);
  };
  const absl::Status status = WriteRdb(server, sync, at_instant);
  if (sync.sink != nullptr && status.ok()) sync.sink->End();
  if (!status.ok() && *sync.unwanted) {
    LogNotice("The RDB for the replicas was given up: none of them waits for it any more");
  } else if (!status.ok()) {
    LogWarning("The RDB for the replicas failed: {}", MessageOf(status));
  }
  return status;
}

}  // namespace

BackgroundWork::Kind BeginFullSync(Server& server, FullSync sync) {
  auto shared = std::make_shared<const FullSync>(std::move(sync));
  return server.persistence().work().Begin(
      BackgroundWork::Kind::kFullSync, [&server, shared] { return Run(server, *shared); },
      [shared](const absl::Status& status) { shared->done(status); });
}

}  // namespace cloakroom
