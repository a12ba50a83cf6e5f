#include "server/context/server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_format.h"
#include "replication/stream/change_stream.h"
#include "server/commands/families.h"
#include "server/config/config_store.h"
#include "server/context/pause.h"
#include "server/context/worker_pool.h"
#include "server/execution/command_table.h"
#include "server/execution/log_replay.h"
#include "server/execution/record_executor.h"
#include "server/execution/thread_context.h"
#include "server/info/sampler.h"
#include "server/metrics/latency_monitor.h"
#include "server/metrics/monitor_feed.h"
#include "server/metrics/process_facts.h"
#include "server/metrics/slowlog.h"
#include "server/metrics/stats.h"
#include "server/persistence/persistence.h"
#include "server/pubsub/keyspace_notifier.h"
#include "server/pubsub/pubsub.h"
#include "server/roles/replication.h"
#include "server/script/function_registry.h"
#include "server/script/running_scripts.h"
#include "server/script/script_cache.h"
#include "server/session/client_memory.h"
#include "server/session/client_registry.h"
#include "server/sessions/native_sessions.h"
#include "server/tracking/tracking_table.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"

namespace cloakroom {
namespace {

constexpr int kWorkerThreads = 2;

std::string NewRunId() {
  absl::BitGen random;
  std::string id;
  while (id.size() < 40) {
    id += absl::StrFormat("%08x", absl::Uniform<uint32_t>(random));
  }
  return id;
}

void Apply(const Config& config, StorageSettings& settings) {
  settings.policy = config.maxmemory_policy.Get();
  settings.maxmemory_bytes = config.maxmemory_bytes.Get();
  settings.maxmemory_samples = config.maxmemory_samples.Get();
  settings.lfu_log_factor = config.lfu_log_factor.Get();
  settings.lfu_decay_minutes = config.lfu_decay_time_minutes.Get();
  const auto count = [](int64_t value) { return static_cast<size_t>(value); };
  EncodingLimits& encoding = settings.encoding;
  encoding.hash_max_listpack_entries = count(config.hash_max_listpack_entries);
  encoding.hash_max_listpack_value_bytes = count(config.hash_max_listpack_value_bytes);
  encoding.set_max_intset_entries = count(config.set_max_intset_entries);
  encoding.set_max_listpack_entries = count(config.set_max_listpack_entries);
  encoding.set_max_listpack_value_bytes = count(config.set_max_listpack_value_bytes);
  encoding.zset_max_listpack_entries = count(config.zset_max_listpack_entries);
  encoding.zset_max_listpack_value_bytes = count(config.zset_max_listpack_value_bytes);
  encoding.list_max_listpack_size = config.list_max_listpack_size.Get();
  encoding.stream_node_max_bytes = count(config.stream_node_max_bytes);
  encoding.stream_node_max_entries = count(config.stream_node_max_entries);
}

}  // namespace

Server::Server(const Clock& clock, ConfigStore& config, int event_loops)
    : Server(clock, config, event_loops, SystemFiles()) {}

Server::Server(const Clock& clock, ConfigStore& config, int event_loops, Files& files)
    : Server(clock, config, event_loops, files, CommandFamilies()) {}

Server::Server(const Clock& clock, ConfigStore& config, int event_loops, Files& files,
               std::span<const CommandFamily> families)
    : clock_(clock),
      config_(config),
      settings_(config.live()),
      commands_(std::make_unique<CommandTable>(families)),
      keyspace_(std::make_unique<Keyspace>(
          Keyspace::Options{.databases = settings_.databases, .event_loops = event_loops}, clock)),
      stream_(std::make_unique<ChangeStream>(event_loops)),
      replication_(std::make_unique<Replication>(
          *this, files, [this] { return std::make_unique<RecordExecutor>(*this); })),
      clients_(std::make_unique<ClientRegistry>()),
      client_memory_(std::make_unique<ClientMemory>(*clients_)),
      scripts_(std::make_unique<ScriptCache>()),
      functions_(std::make_unique<FunctionRegistry>()),
      running_scripts_(std::make_unique<RunningScripts>()),
      errors_(std::make_unique<ErrorStats>()),
      slowlog_(std::make_unique<SlowLog>()),
      latency_(std::make_unique<LatencyMonitor>()),
      sampler_(std::make_unique<Sampler>()),
      monitors_(std::make_unique<MonitorFeed>()),
      pause_(std::make_unique<Pause>(&keyspace_->settings())),
      pubsub_(std::make_unique<PubSub>()),
      notifier_(std::make_unique<KeyspaceNotifier>(*this)),
      tracking_(std::make_unique<TrackingTable>(*this)),
      sessions_(std::make_unique<NativeSessions>(*this)),
      run_id_(NewRunId()),
      facts_(std::make_unique<ProcessFacts>(ProcessFacts::Read())),
      started_ms_(clock.NowMs()),
      workers_(std::make_unique<WorkerPool>(kWorkerThreads)),
      persistence_(std::make_unique<Persistence>(
          *this, files, [this](Hold& hold) { return std::make_unique<LogReplay>(*this, hold); })) {
  for (int i = 0; i < event_loops; ++i) {
    threads_.push_back(
        std::make_unique<ThreadContext>(i, *keyspace_, commands_->size(), *scripts_, *functions_));
  }
  applier_ = std::make_unique<ThreadContext>(keyspace_->background_slot(), *keyspace_,
                                             commands_->size(), *scripts_, *functions_);
  persistence_->set_places(replication_.get());
  FollowSettings();
  sampler_->SampleFigures(*this);
}

Server::~Server() {
  // A job of the reclaimer may post to the workers, which end before the keyspace does.
  workers_->Stop();
  keyspace_->reclaimer().Drain();
}

void Server::FollowSettings() {
  Apply(settings_, keyspace_->settings());
  config_.Subscribe({"maxmemory", "maxmemory-policy", "maxmemory-samples", "lfu-log-factor",
                     "lfu-decay-time", "hash-max-listpack-entries", "hash-max-listpack-value",
                     "set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value",
                     "zset-max-listpack-entries", "zset-max-listpack-value",
                     "list-max-listpack-size", "stream-node-max-bytes", "stream-node-max-entries"},
                    [this] {
                      Apply(settings_, keyspace_->settings());
                      return absl::OkStatus();
                    });
  const auto limit_clients = [this] {
    const int64_t limit = settings_.maxmemory_clients;
    constexpr int64_t kPercent = 100;
    client_memory_->set_limit(limit >= 0 ? limit : settings_.maxmemory_bytes / kPercent * -limit);
    return absl::OkStatus();
  };
  (void)limit_clients();
  config_.Subscribe({"maxmemory", "maxmemory-clients"}, limit_clients);
}

void Server::Disconnected(Client& client, const ClientLink* link) {
  if (client.monitor) monitors_->Remove(link);
  pubsub_->RemoveClient(client);
  tracking_->Disable(client);
  clients_->Remove(client.id);
  client_memory_->Forget(client);
}

void Server::EndScripts() {
  // First, so that none begins to write after the check.
  running_scripts_->EndReaders();
  if (running_scripts_->AnyWrote()) persistence_->work().ForgoSaving();
  running_scripts_->EndAll();
}

void Server::RequestShutdown(ShutdownRequest request) {
  if (!request.abort) shutdown_requested_ = true;
  {
    MutexLock lock(shutdown_mutex_);
    if (shutdown_) return shutdown_(std::move(request));
    if (!early_shutdown_ && !request.abort) {
      early_shutdown_ = {.save = request.save, .force = request.force, .now = request.now};
    }
  }
  if (request.answered) request.answered(/*refused=*/request.abort);
}

void Server::set_shutdown_handler(ShutdownHandler handler) {
  MutexLock lock(shutdown_mutex_);
  shutdown_ = std::move(handler);
  if (shutdown_ && early_shutdown_) shutdown_(*std::exchange(early_shutdown_, std::nullopt));
}

}  // namespace cloakroom
