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
class ChangeStream;
class ClientLink;
class ClientMemory;
class ClientRegistry;
class Clock;
struct CommandFamily;
class CommandTable;
struct Config;
class ConfigStore;
class ErrorStats;
class Files;
class FunctionRegistry;
class Keyspace;
class KeyspaceNotifier;
class LatencyMonitor;
class MonitorFeed;
class NativeSessions;
class Pause;
class Persistence;
struct ProcessFacts;
class PubSub;
class Replication;
class RunningScripts;
class Sampler;
class ScriptCache;
class SlowLog;
struct ThreadContext;
class TrackingTable;
class WorkerPool;

/// What to save before the end, as SHUTDOWN or the directive of a signal says.
enum class ShutdownSave : uint8_t { kDefault, kSave, kNoSave };

/// The parts of a running server, without its sockets (net/ adds those). Commands find here
/// whatever is not in their Call. Each part states its own thread rule; the references do not
/// change during the server's life.
///
/// This header names the parts and includes none of them. Every room may use it, and itself
/// includes the parts that it uses.
class Server {
 public:
  /// Clock, configuration and files must outlive the server.
  Server(const Clock& clock, ConfigStore& config, int event_loops);
  Server(const Clock& clock, ConfigStore& config, int event_loops, Files& files);
  /// For tests: a server that knows only these commands.
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
  ClientMemory& client_memory() { return *client_memory_; }
  ScriptCache& scripts() { return *scripts_; }
  FunctionRegistry& functions() { return *functions_; }
  RunningScripts& running_scripts() { return *running_scripts_; }
  ErrorStats& errors() { return *errors_; }
  SlowLog& slowlog() { return *slowlog_; }
  LatencyMonitor& latency() { return *latency_; }
  Sampler& sampler() { return *sampler_; }
  MonitorFeed& monitors() { return *monitors_; }
  Pause& pause() { return *pause_; }
  PubSub& pubsub() { return *pubsub_; }
  TrackingTable& tracking() { return *tracking_; }
  NativeSessions& sessions() { return *sessions_; }
  WorkerPool& workers() { return *workers_; }
  Persistence& persistence() { return *persistence_; }
  ChangeStream& stream() { return *stream_; }
  Replication& replication() { return *replication_; }

  int thread_count() const { return static_cast<int>(threads_.size()); }
  ThreadContext& thread(int i) { return *threads_[static_cast<size_t>(i)]; }
  /// Of the thread that applies a primary's stream.
  ThreadContext& applier() { return *applier_; }

  /// 40 hex digits, new at every start.
  const std::string& run_id() const { return run_id_; }
  const ProcessFacts& facts() const { return *facts_; }
  int64_t started_ms() const { return started_ms_; }

  /// Call it when a client is gone: removes it from the registry, the monitors and its channels. On
  /// its event loop.
  void Disconnected(Client& client, const ClientLink* link);

  /// Ends all scripts for good, for an end that saves nothing. The changes of a script that is cut
  /// off reach no file. Any thread.
  void EndScripts();

  /// Asks to end the process gracefully. Any thread. `answered` is called once, on any thread; true
  /// means that the data could not be saved, and the server goes on. During the load at the start,
  /// the load is given up and the process ends; the first request is kept for a handler that is set
  /// later.
  struct ShutdownRequest {
    ShutdownSave save = ShutdownSave::kDefault;
    bool force = false;
    bool now = false;    ///< does not wait for replicas
    bool abort = false;  ///< instead: the server goes on; refused if its end has not been asked for
    bool final = false;  ///< scripts have been ended for it, and there is no way back
    std::function<void(bool refused)> answered;
  };
  using ShutdownHandler = std::function<void(ShutdownRequest)>;
  void RequestShutdown(ShutdownRequest request);
  /// A signal has asked for it.
  void NoteShutdown() { shutdown_requested_ = true; }
  /// The end was refused: the server goes on.
  void ForgetShutdown() { shutdown_requested_ = false; }
  /// Until when the end waits for replicas, in ms since the epoch; 0: it does not.
  void set_shutdown_until_ms(int64_t until_ms) { shutdown_until_ms_ = until_ms; }
  int64_t shutdown_until_ms() const { return shutdown_until_ms_.load(std::memory_order_relaxed); }
  /// Clients whose SHUTDOWN waits for its answer.
  void NoteAwaitingShutdown(int more) { awaiting_shutdown_ += more; }
  int awaiting_shutdown() const { return awaiting_shutdown_.load(std::memory_order_relaxed); }
  /// Whether somebody has asked for the end.
  bool shutdown_requested() const { return shutdown_requested_.load(std::memory_order_relaxed); }
  /// Set by whoever runs the event loops, and reset (null) when the end has begun. If a request was
  /// made before, the handler is called with it at once.
  void set_shutdown_handler(ShutdownHandler handler);

 private:
  void FollowSettings();

  const Clock& clock_;
  ConfigStore& config_;
  const Config& settings_;
  const std::unique_ptr<const CommandTable> commands_;
  const std::unique_ptr<Keyspace> keyspace_;
  const std::unique_ptr<ChangeStream> stream_;
  const std::unique_ptr<Replication> replication_;
  const std::unique_ptr<ClientRegistry> clients_;  ///< some of them may wait for replicas
  const std::unique_ptr<ClientMemory> client_memory_;
  const std::unique_ptr<ScriptCache> scripts_;
  const std::unique_ptr<FunctionRegistry> functions_;
  const std::unique_ptr<RunningScripts> running_scripts_;
  const std::unique_ptr<ErrorStats> errors_;
  const std::unique_ptr<SlowLog> slowlog_;
  const std::unique_ptr<LatencyMonitor> latency_;
  const std::unique_ptr<Sampler> sampler_;
  const std::unique_ptr<MonitorFeed> monitors_;
  const std::unique_ptr<Pause> pause_;
  const std::unique_ptr<PubSub> pubsub_;
  const std::unique_ptr<KeyspaceNotifier> notifier_;
  const std::unique_ptr<TrackingTable> tracking_;
  const std::unique_ptr<NativeSessions> sessions_;
  std::vector<std::unique_ptr<ThreadContext>> threads_;
  std::unique_ptr<ThreadContext> applier_;
  const std::string run_id_;
  const std::unique_ptr<const ProcessFacts> facts_;
  const int64_t started_ms_;
  std::atomic<bool> shutdown_requested_ = false;
  std::atomic<int64_t> shutdown_until_ms_ = 0;
  std::atomic<int> awaiting_shutdown_ = 0;
  Mutex shutdown_mutex_;
  ShutdownHandler shutdown_ ABSL_GUARDED_BY(shutdown_mutex_);
  std::optional<ShutdownRequest> early_shutdown_ ABSL_GUARDED_BY(shutdown_mutex_);
  const std::unique_ptr<WorkerPool> workers_;
  const std::unique_ptr<Persistence> persistence_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONTEXT_SERVER_H_
