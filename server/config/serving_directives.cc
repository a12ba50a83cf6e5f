// The directives that this server acts on, grouped as in redis.conf. Bounds and defaults are those
// of Redis 7.2, except where a comment says otherwise.
#include <algorithm>
#include <climits>
#include <filesystem>
#include <string>
#include <system_error>

#include "server/config/directive.h"
#include "storage/base/blob.h"

namespace cloakroom::config {
namespace {

template <typename Setting>
constexpr Choice Word(std::string_view word, Setting setting) {
  return {word, static_cast<int>(setting)};
}
constexpr Choice kPolicies[] = {Word("volatile-lru", EvictionPolicy::kVolatileLru),
                                Word("volatile-lfu", EvictionPolicy::kVolatileLfu),
                                Word("volatile-random", EvictionPolicy::kVolatileRandom),
                                Word("volatile-ttl", EvictionPolicy::kVolatileTtl),
                                Word("allkeys-lru", EvictionPolicy::kAllKeysLru),
                                Word("allkeys-lfu", EvictionPolicy::kAllKeysLfu),
                                Word("allkeys-random", EvictionPolicy::kAllKeysRandom),
                                Word("noeviction", EvictionPolicy::kNoEviction)};
constexpr Choice kSupervisors[] = {{"upstart", 0}, {"systemd", 1}, {"auto", 2}, {"no", 3}};
constexpr Choice kLogLevels[] = {
    {"debug", 0}, {"verbose", 1}, {"notice", 2}, {"warning", 3}, {"nothing", 4}};
constexpr Choice kLogFormats[] = {{"redis", 0}, {"json", 1}};
constexpr Choice kFacilities[] = {{"user", 8},     {"local0", 128}, {"local1", 136},
                                  {"local2", 144}, {"local3", 152}, {"local4", 160},
                                  {"local5", 168}, {"local6", 176}, {"local7", 184}};

constexpr Choice kAppendfsync[] = {Word("everysec", AofFsync::kEverySec),
                                   Word("always", AofFsync::kAlways), Word("no", AofFsync::kNo)};
constexpr Choice kDisklessLoad[] = {Word("disabled", DisklessLoad::kDisabled),
                                    Word("on-empty-db", DisklessLoad::kOnEmptyDb),
                                    Word("swapdb", DisklessLoad::kSwapDb)};
constexpr Choice kOldestReplica[] = {Word("7.0", OldestReader::kRedis7),
                                     Word("6.2", OldestReader::kRedis62),
                                     Word("5.0", OldestReader::kRedis5)};
constexpr Choice kSanitizeDumpPayload[] = {{"no", 0}, {"yes", 1}, {"clients", 2}};
constexpr Choice kRdbVersions[] = {{"auto", 0}, {"9", 9}, {"10", 10}, {"11", 11}, {"12", 12}};

constexpr std::string_view kOutputLimits =
    "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60";

// Writes a value to the Live field of a Config.
template <auto Member>
void To(Config& config, const Value& value) {
  (config.*Member).SetRaw(value.number);
}

// Redis sets no upper limit; a Blob has one.
void ToBulkLimit(Config& config, const Value& value) {
  config.proto_max_bulk_len_bytes.SetRaw(
      std::min(value.number, static_cast<int64_t>(Blob::kMaxSize)));
}

void ToOutputLimits(Config& config, const Value& value) { PublishOutputLimits(config, value.text); }

// The working directory may change later, so a relative path is made absolute when it is read.
absl::StatusOr<std::string> MustBeFolder(std::string_view path) {
  std::error_code status;
  std::filesystem::path whole = std::filesystem::canonical(path, status);
  if (status) return absl::InvalidArgumentError(status.message());
  if (!std::filesystem::is_directory(whole, status))
    return absl::InvalidArgumentError("Not a directory");
  return whole.string();
}

// Only files in the working directory.
absl::StatusOr<std::string> MustNameDump(std::string_view name) {
  if (name.find('/') != name.npos)
    return absl::InvalidArgumentError("dbfilename can't be a path, just a filename");
  return std::string(name);
}

absl::StatusOr<std::string> MustNameLog(std::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("appendfilename can't be empty");
  if (name.find('/') != name.npos)
    return absl::InvalidArgumentError("appendfilename can't be a path, just a filename");
  return std::string(name);
}

absl::StatusOr<std::string> MustNameLogFolder(std::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("appenddirname can't be empty");
  if (name.find('/') != name.npos)
    return absl::InvalidArgumentError("appenddirname can't be a path, just a dirname");
  return std::string(name);
}

const Directive kServingRows[] = {
    // The network.
    {"bind", "", List(kBindRule), "* -::*"},
    {"port", "", Integer(0, 65535), "6379", kModifiable, To<&Config::port>},
    {"unixsocket", "", Text(), "", kImmutable},
    {"unixsocketperm", "", Octal(0777), "0", kImmutable, To<&Config::unixsocketperm>},
    {"protected-mode", "", YesNo(), "yes", kModifiable, To<&Config::protected_mode>},
    {"tcp-backlog", "", Integer(0, INT_MAX), "511", kImmutable, To<&Config::tcp_backlog>},
    {"timeout", "", Integer(0, INT_MAX), "0", kModifiable, To<&Config::timeout_s>},
    {"tcp-keepalive", "", Integer(0, INT_MAX), "300", kModifiable, To<&Config::tcp_keepalive_s>},
    {"maxclients", "", Integer(1, UINT_MAX), "10000", kModifiable, To<&Config::maxclients>},
    {"io-threads", "", Integer(1, 128), "", kImmutable | kOfMachine, To<&Config::io_threads>},
    {"client-query-buffer-limit", "", Memory(1 << 20), "1073741824", kModifiable,
     To<&Config::client_query_buffer_limit_bytes>},
    {"proto-max-bulk-len", "", Memory(1 << 20), "536870912", kModifiable, ToBulkLimit},
    {"client-output-buffer-limit", "", List(kOutputLimitRule), kOutputLimits, kModifiable,
     ToOutputLimits},

    // Who may do what.
    {"requirepass", "", Text(), ""},
    {"enable-debug-command", "", OneOf(kAllowedChoices), "no", kImmutable,
     To<&Config::enable_debug_command>},
    {"enable-protected-configs", "", OneOf(kAllowedChoices), "no", kImmutable,
     To<&Config::enable_protected_configs>},
    {"user", "", Text(), "", kImmutable | kHidden | kRepeatable},
    {"rename-command", "", Text(), "", kImmutable | kHidden | kRepeatable},

    // Memory and its eviction.
    {"databases", "", Integer(1, INT_MAX), "16", kImmutable, To<&Config::databases>},
    {"maxmemory", "", Memory(0, UINT64_MAX), "0", kModifiable, To<&Config::maxmemory_bytes>},
    {"maxmemory-clients", "", MemoryOrPercent(), "0", kModifiable, To<&Config::maxmemory_clients>},
    {"maxmemory-policy", "", OneOf(kPolicies), "noeviction", kModifiable,
     To<&Config::maxmemory_policy>},
    {"maxmemory-samples", "", Integer(1, INT_MAX), "5", kModifiable,
     To<&Config::maxmemory_samples>},
    {"lfu-log-factor", "", Integer(0, INT_MAX), "10", kModifiable, To<&Config::lfu_log_factor>},
    {"lfu-decay-time", "", Integer(0, INT_MAX), "1", kModifiable,
     To<&Config::lfu_decay_time_minutes>},
    {"hz", "", Clamped(0, INT_MAX, 1, 500), "10", kModifiable, To<&Config::hz>},

    // Limits above which a value leaves its packed encoding.
    {"hash-max-listpack-entries", "hash-max-ziplist-entries", Integer(0, INT64_MAX), "512",
     kModifiable, To<&Config::hash_max_listpack_entries>},
    {"hash-max-listpack-value", "hash-max-ziplist-value", Memory(), "64", kModifiable,
     To<&Config::hash_max_listpack_value_bytes>},
    {"set-max-intset-entries", "", Integer(0, INT64_MAX), "512", kModifiable,
     To<&Config::set_max_intset_entries>},
    {"set-max-listpack-entries", "", Integer(0, INT64_MAX), "128", kModifiable,
     To<&Config::set_max_listpack_entries>},
    {"set-max-listpack-value", "", Memory(), "64", kModifiable,
     To<&Config::set_max_listpack_value_bytes>},
    {"zset-max-listpack-entries", "zset-max-ziplist-entries", Integer(0, INT64_MAX), "128",
     kModifiable, To<&Config::zset_max_listpack_entries>},
    {"zset-max-listpack-value", "zset-max-ziplist-value", Memory(), "64", kModifiable,
     To<&Config::zset_max_listpack_value_bytes>},
    {"list-max-listpack-size", "list-max-ziplist-size", Integer(INT_MIN, INT_MAX), "-2",
     kModifiable, To<&Config::list_max_listpack_size>},
    {"stream-node-max-bytes", "", Memory(), "4096", kModifiable,
     To<&Config::stream_node_max_bytes>},
    {"hll-sparse-max-bytes", "", Memory(), "3000", kModifiable, To<&Config::hll_sparse_max_bytes>},
    {"stream-node-max-entries", "", Integer(0, INT64_MAX), "100", kModifiable,
     To<&Config::stream_node_max_entries>},

    // Who is told of changed keys.
    {"notify-keyspace-events", "", List(kNotifyRule), ""},
    {"tracking-table-max-keys", "", Integer(0, INT64_MAX), "1000000", kModifiable,
     To<&Config::tracking_table_max_keys>},

    // Native sessions. All are ours.
    {"session-wait", "", Integer(0, 600000), "30000", kModifiable, To<&Config::session_wait_ms>},
    {"session-lease", "", Integer(100, 86400000), "30000", kModifiable,
     To<&Config::session_lease_ms>},
    {"session-max-waiters", "", Integer(1, 100000), "1000", kModifiable,
     To<&Config::session_max_waiters>},
    {"session-ttl", "", Integer(1, INT32_MAX), "21600", kModifiable, To<&Config::session_ttl_s>},
    {"session-plain-patience", "", Integer(0, 600000), "2000", kModifiable,
     To<&Config::session_plain_patience_ms>},
    {"session-plain-turn", "", Integer(0, 60000), "600", kModifiable,
     To<&Config::session_plain_turn_ms>},
    {"session-park-polls", "", Integer(0, 2000), "0", kModifiable,
     To<&Config::session_park_polls_ms>},
    {"session-log-slow-wait", "", Integer(0, INT32_MAX), "5000", kModifiable,
     To<&Config::session_log_slow_wait_ms>},

    // Monitoring.
    {"busy-reply-threshold", "lua-time-limit", Integer(0, INT64_MAX), "5000", kModifiable,
     To<&Config::busy_reply_threshold_ms>},
    {"slowlog-log-slower-than", "", Integer(-1, INT64_MAX), "10000", kModifiable,
     To<&Config::slowlog_log_slower_than_us>},
    {"slowlog-max-len", "", Integer(0, INT64_MAX), "128", kModifiable,
     To<&Config::slowlog_max_len>},
    {"latency-monitor-threshold", "", Integer(0, INT64_MAX), "0", kModifiable,
     To<&Config::latency_monitor_threshold_ms>},
    {"latency-tracking", "", YesNo(), "yes", kModifiable, To<&Config::latency_tracking>},
    {"latency-tracking-info-percentiles", "", List(kPercentilesRule), "50 99 99.9"},

    // Snapshots. rdb-version is ours.
    {"save", "", List(kSaveRule), "3600 1 300 100 60 10000"},
    {"dbfilename", "", Text(MustNameDump), "dump.rdb", kProtected},
    {"rdb-version", "", OneOf(kRdbVersions), "auto", kModifiable, To<&Config::rdb_version>},
    {"rdbcompression", "", YesNo(), "yes", kModifiable, To<&Config::rdbcompression>},
    {"rdbchecksum", "", YesNo(), "yes", kImmutable, To<&Config::rdbchecksum>},
    {"rdb-save-incremental-fsync", "", YesNo(), "yes", kModifiable,
     To<&Config::rdb_save_incremental_fsync>},
    // All values of it are kept: payloads and files are always checked.
    {"sanitize-dump-payload", "", OneOf(kSanitizeDumpPayload), "no", kModifiable},
    // For tests: simulates a slow disk; in microseconds.
    {"rdb-key-save-delay", "", Integer(INT_MIN, INT_MAX), "0", kModifiable | kHidden,
     To<&Config::rdb_key_save_delay_us>},
    {"stop-writes-on-bgsave-error", "", YesNo(), "yes", kModifiable,
     To<&Config::stop_writes_on_bgsave_error>},
    {"shutdown-on-sigint", "", List(kShutdownRule), "default"},
    {"shutdown-on-sigterm", "", List(kShutdownRule), "default"},

    // Replicas.
    {"repl-backlog-size", "", MemoryAtLeast(16384), "1048576", kModifiable,
     To<&Config::repl_backlog_size_bytes>},
    {"repl-backlog-ttl", "", Integer(0, INT64_MAX), "3600", kModifiable,
     To<&Config::repl_backlog_ttl_s>},
    {"repl-memory", "", MemoryAtLeast(1 << 20), "67108864", kModifiable,
     To<&Config::repl_memory_bytes>},
    {"repl-spool-size", "", Memory(), "4294967296", kModifiable,
     To<&Config::repl_spool_size_bytes>},
    {"repl-oldest-replica", "", OneOf(kOldestReplica), "7.0", kImmutable,
     To<&Config::repl_oldest_replica>},
    {"repl-timeout", "", Integer(1, INT_MAX), "60", kModifiable, To<&Config::repl_timeout_s>},
    {"repl-ping-replica-period", "repl-ping-slave-period", Integer(1, INT_MAX), "10", kModifiable,
     To<&Config::repl_ping_replica_period_s>},
    {"repl-diskless-sync", "", YesNo(), "yes", kModifiable, To<&Config::repl_diskless_sync>},
    {"repl-diskless-sync-delay", "", Integer(0, INT_MAX), "5", kModifiable,
     To<&Config::repl_diskless_sync_delay_s>},
    {"repl-diskless-sync-max-replicas", "", Integer(0, INT_MAX), "0", kModifiable,
     To<&Config::repl_diskless_sync_max_replicas>},
    {"shutdown-timeout", "", Integer(0, INT_MAX), "10", kModifiable,
     To<&Config::shutdown_timeout_s>},
    {"min-replicas-to-write", "min-slaves-to-write", Integer(0, INT_MAX), "0", kModifiable,
     To<&Config::min_replicas_to_write>},
    {"min-replicas-max-lag", "min-slaves-max-lag", Integer(0, INT_MAX), "10", kModifiable,
     To<&Config::min_replicas_max_lag_s>},

    // The primary.
    {"replicaof", "slaveof", List(kReplicaOfRule), "", kImmutable},
    {"masteruser", "", Text(), ""},
    {"masterauth", "", Text(), ""},
    {"repl-diskless-load", "", OneOf(kDisklessLoad), "disabled", kModifiable,
     To<&Config::repl_diskless_load>},
    {"replica-serve-stale-data", "slave-serve-stale-data", YesNo(), "yes", kModifiable,
     To<&Config::replica_serve_stale_data>},
    {"replica-read-only", "slave-read-only", YesNo(), "yes", kModifiable,
     To<&Config::replica_read_only>},
    {"replica-ignore-maxmemory", "slave-ignore-maxmemory", YesNo(), "yes", kModifiable,
     To<&Config::replica_ignore_maxmemory>},
    {"replica-priority", "slave-priority", Integer(0, INT_MAX), "100", kModifiable,
     To<&Config::replica_priority>},
    {"replica-announced", "", YesNo(), "yes", kModifiable, To<&Config::replica_announced>},
    {"close-after-readonly", "", YesNo(), "yes", kModifiable, To<&Config::close_after_readonly>},
    {"replica-announce-ip", "slave-announce-ip", Text(), ""},
    {"replica-announce-port", "slave-announce-port", Integer(0, 65535), "0", kModifiable,
     To<&Config::replica_announce_port>},

    // The append-only log.
    {"appendonly", "", YesNo(), "no", kNotWhileLoading},
    {"appendfilename", "", Text(MustNameLog), "appendonly.aof", kImmutable},
    {"appenddirname", "", Text(MustNameLogFolder), "appendonlydir", kImmutable},
    {"appendfsync", "", OneOf(kAppendfsync), "everysec", kModifiable, To<&Config::appendfsync>},
    {"no-appendfsync-on-rewrite", "", YesNo(), "no", kModifiable,
     To<&Config::no_appendfsync_on_rewrite>},
    {"auto-aof-rewrite-percentage", "", Integer(0, INT_MAX), "100", kModifiable,
     To<&Config::auto_aof_rewrite_percentage>},
    {"auto-aof-rewrite-min-size", "", Memory(), "67108864", kModifiable,
     To<&Config::auto_aof_rewrite_min_size_bytes>},
    {"aof-load-truncated", "", YesNo(), "yes", kModifiable, To<&Config::aof_load_truncated>},
    {"aof-use-rdb-preamble", "", YesNo(), "yes", kModifiable, To<&Config::aof_use_rdb_preamble>},
    {"aof-timestamp-enabled", "", YesNo(), "no", kModifiable, To<&Config::aof_timestamp_enabled>},
    {"aof-rewrite-incremental-fsync", "", YesNo(), "yes", kModifiable,
     To<&Config::aof_rewrite_incremental_fsync>},

    // Huge pages; loading uses them nevertheless.
    {"disable-thp", "", YesNo(), "yes", kImmutable, To<&Config::disable_thp>},

    // Ours, for one start from a damaged file: load what can be read.
    {"repair", "", YesNo(), "no", kImmutable, To<&Config::repair>},

    // The process and its log. log-format is ours.
    {"loglevel", "", OneOf(kLogLevels), "notice", kModifiable, To<&Config::loglevel>},
    {"logfile", "", Text(), "", kImmutable},
    {"log-format", "", OneOf(kLogFormats), "redis", kModifiable, To<&Config::log_format>},
    {"syslog-enabled", "", YesNo(), "no", kImmutable, To<&Config::syslog_enabled>},
    {"syslog-ident", "", Text(), "cloakroom", kImmutable},
    {"syslog-facility", "", OneOf(kFacilities), "local0", kImmutable},
    {"dir", "", Text(MustBeFolder), "",
     kProtected | kOfMachine | kNotWhileLoading | kAlwaysWritten},
    {"pidfile", "", Text(), "", kImmutable},
    {"daemonize", "", YesNo(), "no", kImmutable, To<&Config::daemonize>},
    {"supervised", "", OneOf(kSupervisors), "no", kImmutable, To<&Config::supervised>},
};

}  // namespace

absl::Span<const Directive> ServingDirectives() { return kServingRows; }

}  // namespace cloakroom::config
