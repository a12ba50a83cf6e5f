#ifndef CLOAKROOM_SERVER_CONFIG_CONFIG_H_
#define CLOAKROOM_SERVER_CONFIG_CONFIG_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "replication/aof/aof_fsync.h"
#include "replication/stream/oldest_reader.h"
#include "storage/keyspace/settings.h"

namespace cloakroom {

/// The values are in the order of the words in the directive table.
enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning, kNothing };
enum class LogFormat : uint8_t { kRedis, kJson };
/// Who may use a dangerous command: nobody, everybody, or connections from this machine.
enum class Allowed : uint8_t { kNo, kYes, kLocal };
enum class Supervisor : uint8_t { kUpstart, kSystemd, kAuto, kNone };
/// Where a replica puts the data of a full sync: into a file first; into the keyspace at once if
/// that is empty; or into spare databases.
enum class DisklessLoad : uint8_t { kDisabled, kOnEmptyDb, kSwapDb };

/// Index into Config::output_limits.
enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub };

/// One setting that may change while the server runs. Any thread reads it with one relaxed load;
/// only ConfigStore (or a test) writes it. A reader may see one setting of a CONFIG SET changed and
/// another not yet.
template <class T>
class Live {
 public:
  T Get() const { return static_cast<T>(raw_.load(std::memory_order_relaxed)); }
  operator T() const { return Get(); }  // NOLINT: a setting reads like its value
  void Set(T value) { SetRaw(static_cast<int64_t>(value)); }
  void SetRaw(int64_t raw) { raw_.store(raw, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> raw_{0};
};

/// A connection is closed at once above hard_bytes, and after soft_seconds above soft_bytes.
/// Zero switches a limit off.
struct OutputLimit {
  Live<int64_t> hard_bytes;
  Live<int64_t> soft_bytes;
  Live<int64_t> soft_seconds;
};

/// The settings that hot paths need; every thread reads them without a lock. Names end in the unit.
/// A fresh Config holds the defaults of the directive table. Memory sizes above 2^63-1 are stored
/// as 2^63-1. Text (bind, requirepass, ...) is read from ConfigStore::Text.
struct Config {
  Config();

  // The network.
  Live<int> port;             // 0: do not listen on TCP
  Live<int> unixsocketperm;   // mode bits; 0: leave it to the umask
  Live<bool> protected_mode;  // refuse remote clients while there is no password
  Live<int64_t> maxclients;
  Live<int> timeout_s;        // close idle clients; 0: never
  Live<int> tcp_keepalive_s;  // 0: off
  Live<int> tcp_backlog;
  Live<int> io_threads;  // event loops
  Live<int64_t> client_query_buffer_limit_bytes;
  Live<int64_t> proto_max_bulk_len_bytes;
  std::array<OutputLimit, 3> output_limits;
  const OutputLimit& output_limit(ClientClass who) const {
    return output_limits[static_cast<size_t>(who)];
  }

  // Memory and its eviction.
  Live<int> databases;
  Live<int64_t> maxmemory_bytes;    // 0: no limit
  Live<int64_t> maxmemory_clients;  // 0: no limit; in bytes, or negative: percent of maxmemory
  Live<EvictionPolicy> maxmemory_policy;
  Live<int> maxmemory_samples;
  Live<int> lfu_log_factor;
  Live<int> lfu_decay_time_minutes;
  Live<int> hz;  // background turns per second, 1..500

  // Above these limits a value leaves its packed encoding.
  Live<int64_t> hash_max_listpack_entries;
  Live<int64_t> hash_max_listpack_value_bytes;
  Live<int64_t> set_max_intset_entries;
  Live<int64_t> set_max_listpack_entries;
  Live<int64_t> set_max_listpack_value_bytes;
  Live<int64_t> zset_max_listpack_entries;
  Live<int64_t> zset_max_listpack_value_bytes;
  Live<int> list_max_listpack_size;
  Live<int64_t> stream_node_max_bytes;
  Live<int64_t> stream_node_max_entries;
  Live<int64_t> hll_sparse_max_bytes;

  Live<int64_t> tracking_table_max_keys;  // 0: no limit

  // Native sessions.
  Live<int64_t> session_wait_ms;
  Live<int64_t> session_lease_ms;
  Live<int64_t> session_max_waiters;  // of one session
  Live<int64_t> session_ttl_s;
  Live<int64_t> session_plain_patience_ms;
  Live<int64_t> session_plain_turn_ms;     // 0: plain clients get no turns
  Live<int64_t> session_park_polls_ms;     // 0: off
  Live<int64_t> session_log_slow_wait_ms;  // 0: never

  // Monitoring.
  Live<int64_t> repl_backlog_size_bytes;
  Live<OldestReader> repl_oldest_replica;
  Live<int64_t> repl_backlog_ttl_s;     // 0: the backlog is never dropped
  Live<int64_t> repl_memory_bytes;      // of the stream, with what slow replicas need
  Live<int64_t> repl_spool_size_bytes;  // on the disk; 0: nothing
  Live<int64_t> repl_timeout_s;
  Live<int64_t> repl_ping_replica_period_s;
  Live<bool> repl_diskless_sync;
  Live<int64_t> repl_diskless_sync_delay_s;
  Live<int64_t> repl_diskless_sync_max_replicas;  // 0: none
  Live<int64_t> shutdown_timeout_s;               // that an end waits for replicas
  Live<int64_t> min_replicas_to_write;            // 0: no rule
  Live<int64_t> min_replicas_max_lag_s;           // 0: no rule

  // Of a replica.
  Live<DisklessLoad> repl_diskless_load;
  Live<bool> replica_serve_stale_data;
  Live<bool> replica_read_only;
  Live<bool> replica_ignore_maxmemory;
  Live<bool> replica_announced;
  Live<bool> close_after_readonly;
  Live<int64_t> replica_priority;
  Live<int64_t> replica_announce_port;  // 0: the port that the server listens at

  Live<int64_t> busy_reply_threshold_ms;
  Live<int64_t> slowlog_log_slower_than_us;  // negative: off
  Live<int64_t> slowlog_max_len;
  Live<int64_t> latency_monitor_threshold_ms;  // 0: off
  Live<bool> latency_tracking;
  Live<Allowed> enable_debug_command;
  Live<Allowed> enable_protected_configs;

  // Snapshots and the append-only log.
  Live<int> rdb_version;  // 9..12; 0: the oldest that holds the data
  Live<bool> rdbcompression;
  Live<bool> rdbchecksum;
  Live<bool> rdb_save_incremental_fsync;
  Live<int> rdb_key_save_delay_us;
  Live<bool> stop_writes_on_bgsave_error;
  Live<AofFsync> appendfsync;
  Live<bool> no_appendfsync_on_rewrite;
  Live<int> auto_aof_rewrite_percentage;  // 0: never by itself
  Live<int64_t> auto_aof_rewrite_min_size_bytes;
  Live<bool> aof_load_truncated;
  Live<bool> aof_use_rdb_preamble;
  Live<bool> aof_timestamp_enabled;
  Live<bool> aof_rewrite_incremental_fsync;
  Live<bool> repair;

  // The process.
  Live<bool> disable_thp;
  Live<LogLevel> loglevel;
  Live<LogFormat> log_format;
  Live<bool> syslog_enabled;
  Live<bool> daemonize;
  Live<Supervisor> supervised;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_CONFIG_CONFIG_H_
