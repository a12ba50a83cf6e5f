#include "server/roles/full_sync_load.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "replication/files/file_sink.h"
#include "replication/files/file_source.h"
#include "replication/files/file_status.h"
#include "replication/files/files.h"
#include "replication/rdb/rdb_reader.h"
#include "server/config/config_store.h"
#include "server/persistence/persistence.h"
#include "storage/base/clock.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {

FullSyncLoad::FullSyncLoad(Server& server, Plan plan, Callbacks callbacks)
    : server_(server),
      plan_(plan),
      callbacks_(std::move(callbacks)),
      pipe_(callbacks_.room),
      thread_([this] { Run(); }) {}

FullSyncLoad::~FullSyncLoad() {
  GiveUp();
  thread_.join();
}

void FullSyncLoad::GiveUp() {
  stopped_ = true;
  pipe_.GiveUp();
}

void FullSyncLoad::Run() {
  MemoryMeter::RegisterThread();
  if (plan_.load == SyncLoad::kDisk) {
    const std::string path = "temp-" + std::to_string(server_.clock().NowMs() / 1000) + "." +
                             std::to_string(getpid()) + "." + std::to_string(plan_.number) + ".rdb";
    const auto received = ReceiveFile(path);
    if (!received.ok()) (void)server_.persistence().files().Remove(path);
    if (stopped_) {
      // Nobody waits for it any more.
    } else if (received.ok()) {
      callbacks_.ended(LoadFile(**received));
    } else {
      callbacks_.not_received(received.status());
    }
  } else {
    const absl::Status loaded =
        Load(pipe_, plan_.size < 0 ? RdbReader::kUnknownSize : static_cast<uint64_t>(plan_.size));
    callbacks_.ended(loaded);
  }
  MemoryMeter::Publish();
  over_ = true;
}

absl::StatusOr<std::unique_ptr<ReadableFile>> FullSyncLoad::ReceiveFile(const std::string& path) {
  Files& files = server_.persistence().files();
  auto file = files.Create(path);
  if (!file.ok()) return file.status();
  FileSink sink(**file, /*steady=*/true);
  std::array<char, 64 * 1024> buffer;
  for (size_t bytes = pipe_.Read(buffer); bytes > 0; bytes = pipe_.Read(buffer)) {
    sink.Append({buffer.data(), bytes});
    if (!sink.status().ok()) return sink.status();
  }
  if (absl::Status status = sink.Finish(); !status.ok()) return status;
  // Opened before it has the snapshot's name: a save of our own may take that at any moment.
  auto received = files.OpenForRead(path);
  if (!received.ok()) return received;
  if (stopped_) return absl::CancelledError("given up");
  const std::string target = server_.config().Text("dbfilename");
  if (absl::Status status = files.Rename(path, target); !status.ok()) return status;
  if (absl::Status status = files.SyncDirectory("."); !status.ok()) return status;
  return received;
}

absl::Status FullSyncLoad::LoadFile(ReadableFile& file) {
  FileSource source(file);
  absl::Status status = Load(source, static_cast<uint64_t>(file.size()));
  return source.status().ok() ? status : source.status();
}

absl::Status FullSyncLoad::Load(ByteSource& source, uint64_t size) {
  Replication& replication = server_.replication();
  replication.KeepDiscarded();
  Loader& loader = server_.persistence().loader();
  const Loader::PrimaryData data = {
      .source = source,
      .size = size,
      .may_begin = [&] { return !stopped_ && replication.BeginLoad(plan_.turn); },
      .may_replace = [&] { return !stopped_ && replication.IsTurn(plan_.turn); },
      .loaded = [&] { replication.TakeOver(plan_.point); },
      .failed = [&] { replication.LoseData(); },
      .stop = [this] { return stopped_.load(); }};
  if (plan_.load != SyncLoad::kSwap) return loader.LoadFromPrimary(data);
  using Phase = LoadProgress::Phase;
  const bool same = plan_.point && replication.SharesHistory(plan_.point->id);
  return loader.LoadBeside(data, same ? Phase::kBeside : Phase::kRefusing);
}

}  // namespace cloakroom
