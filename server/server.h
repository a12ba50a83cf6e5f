#ifndef CLOAKROOM_SERVER_SERVER_H_
#define CLOAKROOM_SERVER_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/command_table.h"
#include "server/config/config_store.h"
#include "server/metrics/latency_monitor.h"
#include "server/metrics/monitor_feed.h"
#include "server/metrics/process_facts.h"
#include "server/metrics/sampler.h"
#include "server/metrics/slowlog.h"
#include "server/pause.h"
#include "server/persistence/persistence.h"
#include "server/pubsub/pubsub.h"
#include "server/script/running_scripts.h"
#include "server/script/script_cache.h"
#include "server/session/client_registry.h"
#include "server/stats.h"
#include "server/thread_context.h"
#include "server/worker_pool.h"
#include "storage/clock.h"
#include "storage/keyspace.h"

namespace cloakroom {

/// The parts of a running server, put together; no sockets (net/ brings those). Commands find here
/// whatever is not in their Call. Each part states its own thread rule; the references are fixed
/// for the server's life.
class Server {
 public:
  /// Clock, configuration and files must outlive the server.
  Server(const Clock& clock, ConfigStore& config, int event_loops, Files& files = SystemFiles());
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Clock& clock() const { return clock_; }
  ConfigStore& config() { return config_; }
  const Config& settings() const { return config_.live(); }
  const CommandTable& commands() const { return commands_; }
  Keyspace& keyspace() { return keyspace_; }
  ClientRegistry& clients() { return clients_; }
  ScriptCache& scripts() { return scripts_; }
  RunningScripts& running_scripts() { return running_scripts_; }
  ErrorStats& errors() { return errors_; }
  SlowLog& slowlog() { return slowlog_; }
  LatencyMonitor& latency() { return latency_; }
  Sampler& sampler() { return sampler_; }
  MonitorFeed& monitors() { return monitors_; }
  Pause& pause() { return pause_; }
  PubSub& pubsub() { return pubsub_; }
  WorkerPool& workers() { return *workers_; }
  Persistence& persistence() { return *persistence_; }

  int thread_count() const { return static_cast<int>(threads_.size()); }
  ThreadContext& thread(int i) { return *threads_[static_cast<size_t>(i)]; }

  /// 40 hex digits, new at every start.
  const std::string& run_id() const { return run_id_; }
  /// As run_id: names the history of this server's changes to replicas.
  const std::string& replication_id() const { return replication_id_; }
  const ProcessFacts& facts() const { return facts_; }
  int64_t started_ms() const { return started_ms_; }

  /// A client is gone: it leaves the registry, the monitors and its channels. On its event loop.
  void Disconnected(Client& client, const ClientLink* link);

  /// Ends all scripts for good, for an end that saves nothing. What one has changed that is cut off
  /// so reaches no file. Any thread.
  void EndScripts();

  /// Asks to end the process gracefully, from any thread. `answered` is called once, from any: true
  /// when the data could not be saved, and the server goes on. While the data is loaded the load is
  /// given up, and with it the process; the first request is kept for a handler that comes after
  /// all.
  struct ShutdownRequest {
    Persistence::Ending ending = Persistence::Ending::kDefault;
    bool force = false;
    std::function<void(bool refused)> answered;
  };
  using ShutdownHandler = std::function<void(ShutdownRequest)>;
  void RequestShutdown(ShutdownRequest request);
  /// Somebody has asked for it.
  bool shutdown_requested() const { return shutdown_requested_.load(std::memory_order_relaxed); }
  /// Set by whoever runs the event loops, and taken back (null) when the end has begun. It is
  /// called at once with a request that was made before.
  void set_shutdown_handler(ShutdownHandler handler);

 private:
  void FollowSettings();

  const Clock& clock_;
  ConfigStore& config_;
  const CommandTable commands_;
  Keyspace keyspace_;
  ClientRegistry clients_;
  ScriptCache scripts_;
  RunningScripts running_scripts_;
  ErrorStats errors_;
  SlowLog slowlog_;
  LatencyMonitor latency_;
  Sampler sampler_;
  MonitorFeed monitors_;
  Pause pause_{&keyspace_.settings()};
  PubSub pubsub_;
  std::vector<std::unique_ptr<ThreadContext>> threads_;
  const std::string run_id_;
  const std::string replication_id_;
  const ProcessFacts facts_ = ProcessFacts::Read();
  const int64_t started_ms_;
  std::atomic<bool> shutdown_requested_ = false;
  Mutex shutdown_mutex_;
  ShutdownHandler shutdown_ ABSL_GUARDED_BY(shutdown_mutex_);
  std::optional<ShutdownRequest> early_shutdown_ ABSL_GUARDED_BY(shutdown_mutex_);
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<Persistence> persistence_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SERVER_H_
