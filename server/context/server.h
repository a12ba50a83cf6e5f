#ifndef CLOAKROOM_SERVER_CONTEXT_SERVER_H_
#define CLOAKROOM_SERVER_CONTEXT_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"

namespace cloakroom {

struct Client;
class ClientLink;
class ClientRegistry;
class Clock;
struct CommandFamily;
class CommandTable;
struct Config;
class ConfigStore;
class ErrorStats;
class Files;
class Keyspace;
class LatencyMonitor;
class MonitorFeed;
class Pause;
class Persistence;
struct ProcessFacts;
class PubSub;
class RunningScripts;
class Sampler;
class ScriptCache;
class SlowLog;
struct ThreadContext;
class WorkerPool;

/// What SHUTDOWN, and a signal by its directive, asks to be saved first.
enum class ShutdownSave : uint8_t { kDefault, kSave, kNoSave };

/// The parts of a running server, put together; no sockets (net/ brings those). Commands find here
/// whatever is not in their Call. Each part states its own thread rule; the references are fixed
/// for the server's life.
///
/// This header names the parts and includes none of them: every room may use it, and includes the
/// parts that it uses itself.
class Server {
 public:
  /// Clock, configuration and files must outlive the server.
  Server(const Clock& clock, ConfigStore& config, int event_loops);
  Server(const Clock& clock, ConfigStore& config, int event_loops, Files& files);
  /// One that knows these commands instead of all: for tests.
  Server(const Clock& clock, ConfigStore& config, int event_loops, Files& files,
         std::span<const CommandFamily> families);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const Clock& clock() const { return clock_; }
  ConfigStore& config() { return config_; }
  const Config& settings() const { return settings_; }
  const CommandTable& commands() const { return *commands_; }
  Keyspace& keyspace() { return *keyspace_; }
  ClientRegistry& clients() { return *clients_; }
  ScriptCache& scripts() { return *scripts_; }
  RunningScripts& running_scripts() { return *running_scripts_; }
  ErrorStats& errors() { return *errors_; }
  SlowLog& slowlog() { return *slowlog_; }
  LatencyMonitor& latency() { return *latency_; }
  Sampler& sampler() { return *sampler_; }
  MonitorFeed& monitors() { return *monitors_; }
  Pause& pause() { return *pause_; }
  PubSub& pubsub() { return *pubsub_; }
  WorkerPool& workers() { return *workers_; }
  Persistence& persistence() { return *persistence_; }

  int thread_count() const { return static_cast<int>(threads_.size()); }
  ThreadContext& thread(int i) { return *threads_[static_cast<size_t>(i)]; }

  /// 40 hex digits, new at every start.
  const std::string& run_id() const { return run_id_; }
  /// As run_id: names the history of this server's changes to replicas.
  const std::string& replication_id() const { return replication_id_; }
  const ProcessFacts& facts() const { return *facts_; }
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
    ShutdownSave save = ShutdownSave::kDefault;
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
  const Config& settings_;
  const std::unique_ptr<const CommandTable> commands_;
  const std::unique_ptr<Keyspace> keyspace_;
  const std::unique_ptr<ClientRegistry> clients_;
  const std::unique_ptr<ScriptCache> scripts_;
  const std::unique_ptr<RunningScripts> running_scripts_;
  const std::unique_ptr<ErrorStats> errors_;
  const std::unique_ptr<SlowLog> slowlog_;
  const std::unique_ptr<LatencyMonitor> latency_;
  const std::unique_ptr<Sampler> sampler_;
  const std::unique_ptr<MonitorFeed> monitors_;
  const std::unique_ptr<Pause> pause_;
  const std::unique_ptr<PubSub> pubsub_;
  std::vector<std::unique_ptr<ThreadContext>> threads_;
  const std::string run_id_;
  const std::string replication_id_;
  const std::unique_ptr<const ProcessFacts> facts_;
  const int64_t started_ms_;
  std::atomic<bool> shutdown_requested_ = false;
  Mutex shutdown_mutex_;
  ShutdownHandler shutdown_ ABSL_GUARDED_BY(shutdown_mutex_);
  std::optional<ShutdownRequest> early_shutdown_ ABSL_GUARDED_BY(shutdown_mutex_);
  const std::unique_ptr<WorkerPool> workers_;
  const std::unique_ptr<Persistence> persistence_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_SERVER_H_
