#include "server/persistence/snapshot_options.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "protocol/numbers.h"
#include "protocol/version.h"
#include "server/config/config.h"
#include "server/config/config_store.h"
#include "server/context/thread_priority.h"
#include "server/persistence/history_places.h"
#include "server/persistence/persistence.h"
#include "server/script/function_registry.h"
#include "server/script/script_cache.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

/// Waiting pre-images may take a quarter of the used memory, or this if it is more.
constexpr int64_t kMinPreImageBytes = 64 << 20;

}  // namespace

bool HasSavePoints(const ConfigStore& config) { return !config.Words("save").empty(); }

SnapshotOptions SnapshotOptionsFrom(const Server& server) {
  const Config& settings = server.settings();
  return {.version = settings.rdb_version,
          .compression = settings.rdbcompression,
          .checksum = settings.rdbchecksum,
          .max_pre_image_bytes =
              static_cast<size_t>(std::max(kMinPreImageBytes, MemoryMeter::UsedBytes() / 4)),
          .key_delay_us = settings.rdb_key_save_delay_us,
          .begin_writing = GiveWayToEventLoops};
}

SnapshotHead HeadOf(Server& server, bool log_base) {
  RdbAuxFields fields = {{"redis-ver", kRedisVersion},
                         {"redis-bits", "64"},
                         {"ctime", std::to_string(server.clock().NowMs() / 1000)},
                         {"used-mem", std::to_string(MemoryMeter::UsedBytes())},
                         {"aof-base", log_base ? "1" : "0"}};
  HistoryPlaces* const places = server.persistence().places();
  if (places != nullptr) places->AddFields(&fields);
  for (const ScriptPtr& script : server.scripts().Pinned()) {
    fields.emplace_back(kScriptAux, script->text);
  }
  std::vector<std::string> libraries;
  for (const LibraryPtr& library : server.functions().Libraries()) {
    libraries.push_back(library->source);
  }
  return {std::move(fields), std::move(libraries)};
}

void TakeAuxField(Server& server, std::string_view key, std::string_view value) {
  HistoryPlaces* const places = server.persistence().places();
  if (key != kScriptAux && places != nullptr) places->NoteField(key, value);
  if (key != kScriptAux) return;
  const absl::StatusOr<ScriptPtr> script = MakeScript(value);
  if (script.ok()) server.scripts().Add(*script, /*pinned=*/true);
}

}  // namespace cloakroom
