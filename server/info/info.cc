#include "server/info/info.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "protocol/version.h"
#include "server/config/config.h"
#include "server/config/config_store.h"
#include "server/context/pause.h"
#include "server/execution/command_table.h"
#include "server/execution/thread_context.h"
#include "server/info/sampler.h"
#include "server/metrics/process_facts.h"
#include "server/roles/replication.h"
#include "server/session/blocked_request.h"
#include "server/session/client_registry.h"
#include "server/tracking/tracking_table.h"
#include "storage/base/clock.h"
#include "storage/keyspace/access_clock.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

constexpr int64_t kMsPerDay = 24 * 3600 * 1000;

void AppendServer(Server& server, InfoText& text) {
  const Config& settings = server.settings();
  int64_t now_ms = server.clock().NowMs();
  int64_t up_ms = now_ms - server.started_ms();
  text.Section("Server");
  text.Line("redis_version", kRedisVersion);
  text.Line("redis_git_sha1", "00000000");
  text.Line("redis_git_dirty", 0);
  text.Line("redis_build_id", "0");
  text.Line("redis_mode", "standalone");
  text.Line("cloakroom_version", kCloakroomVersion);
  text.Line("os", server.facts().os);
  text.Line("arch_bits", 8 * sizeof(void*));
  text.Line("monotonic_clock", "POSIX clock_gettime");
  text.Line("multiplexing_api", "epoll");
  text.Line("atomicvar_api", "c11-builtin");
  text.Line("gcc_version", fmt::format("{}.{}.0", __GNUC__, __GNUC_MINOR__));
  text.Line("process_id", getpid());
  text.Line("process_supervised", settings.supervised == Supervisor::kSystemd ? "systemd" : "no");
  text.Line("run_id", server.run_id());
  text.Line("tcp_port", settings.port + 0);
  text.Line("server_time_usec", server.clock().NowUs());
  text.Line("uptime_in_seconds", up_ms / 1000);
  text.Line("uptime_in_days", up_ms / kMsPerDay);
  text.Line("hz", settings.hz + 0);
  text.Line("configured_hz", settings.hz + 0);
  text.Line("lru_clock", access_clock::LruAt(now_ms));
  text.Line("executable", server.facts().executable);
  text.Line("config_file", server.config().ConfigFile());
  text.Line("io_threads_active", server.thread_count() > 1 ? 1 : 0);
  if (const int64_t until_ms = server.shutdown_until_ms(); until_ms != 0) {
    text.Line("shutdown_in_milliseconds", std::max<int64_t>(until_ms - now_ms, 0));
  }
  text.Line("cloakroom_io_threads", server.thread_count());
  if (settings.port != 0) {
    std::string binds;
    for (const std::string& word : server.config().Words("bind")) binds += ",bind=" + word;
    text.Line("listener0", fmt::format("name=tcp{},port={}", binds, settings.port + 0));
  }
}

/// Keys that requests wait for, with the numbers of their databases. A reader of a consumer group
/// is also unblocked when its key is removed.
struct AwaitedKeys {
  absl::flat_hash_set<std::pair<int, std::string>> all;
  absl::flat_hash_set<std::pair<int, std::string>> by_group_readers;
};

AwaitedKeys FindAwaitedKeys(Server& server) {
  AwaitedKeys awaited;
  for (const auto& client : server.clients().All()) {
    MutexLock lock(client->mutex);
    if (client->blocked_request == nullptr) continue;
    const int db = client->blocked_request->db().index();
    for (const std::string& key : client->blocked_request->keys()) {
      awaited.all.emplace(db, key);
      if (client->blocked_request->hears_removal()) awaited.by_group_readers.emplace(db, key);
    }
  }
  return awaited;
}

void AppendClients(Server& server, InfoText& text) {
  Sampler::Figures figures = server.sampler().figures();
  int64_t blocked = server.pause().Waiting(server.clock().NowMs()) + server.awaiting_shutdown();
  int64_t with_time_limit = 0;
  for (int i = 0; i < server.thread_count(); ++i) {
    blocked += server.thread(i).blocked_clients;
    with_time_limit += server.thread(i).blocked_with_time_limit;
  }
  text.Section("Clients");
  const size_t replicas = server.replication().figures().replicas.size();
  text.Line("connected_clients",
            server.clients().size() - std::min(replicas, server.clients().size()));
  text.Line("cluster_connections", 0);
  text.Line("maxclients", server.settings().maxclients + 0);
  text.Line("client_recent_max_input_buffer", figures.max_query_bytes);
  text.Line("client_recent_max_output_buffer", figures.max_output_bytes);
  text.Line("blocked_clients", blocked);
  text.Line("tracking_clients", server.tracking().clients());
  text.Line("pubsub_clients", figures.pubsub_clients);
  text.Line("watching_clients", figures.watching_clients);
  text.Line("clients_in_timeout_table", with_time_limit);
  const AwaitedKeys awaited = blocked > 0 ? FindAwaitedKeys(server) : AwaitedKeys();
  text.Line("total_blocking_keys", awaited.all.size());
  text.Line("total_blocking_keys_on_nokey", awaited.by_group_readers.size());
}

std::string Seconds(const timeval& time) {
  return fmt::format("{}.{:06}", time.tv_sec, time.tv_usec);
}

void AppendCpu(Server&, InfoText& text) {
  rusage own{}, children{}, thread{};
  getrusage(RUSAGE_SELF, &own);
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_THREAD, &thread);
  text.Section("CPU");
  text.Line("used_cpu_sys", Seconds(own.ru_stime));
  text.Line("used_cpu_user", Seconds(own.ru_utime));
  text.Line("used_cpu_sys_children", Seconds(children.ru_stime));
  text.Line("used_cpu_user_children", Seconds(children.ru_utime));
  text.Line("used_cpu_sys_main_thread", Seconds(thread.ru_stime));
  text.Line("used_cpu_user_main_thread", Seconds(thread.ru_utime));
}

void AppendModules(Server&, InfoText& text) { text.Section("Modules"); }

void AppendCluster(Server&, InfoText& text) {
  text.Section("Cluster");
  text.Line("cluster_enabled", 0);
}

void AppendKeyspace(Server& server, InfoText& text) {
  Sampler::Figures figures = server.sampler().figures();
  text.Section("Keyspace");
  for (int i = 0; i < server.keyspace().database_count(); ++i) {
    const Database& db = server.keyspace().db(i);
    if (db.size() == 0) continue;
    int64_t ttl_ms = db.expires() == 0 ? 0 : figures.mean_ttl_ms[static_cast<size_t>(i)];
    std::string line =
        fmt::format("keys={},expires={},avg_ttl={}", db.size(), db.expires(), ttl_ms);
    if (const size_t keys = db.item_expires(); keys > 0) line += fmt::format(",subexpiry={}", keys);
    text.Line(absl::StrCat("db", i), line);
  }
}

struct Section {
  std::string_view name;
  void (*append)(Server&, InfoText&);
  bool in_default;
};

constexpr Section kSections[] = {
    {"server", AppendServer, true},
    {"clients", AppendClients, true},
    {"memory", AppendMemory, true},
    {"persistence", AppendPersistence, true},
    {"stats", AppendStats, true},
    {"replication", AppendReplication, true},
    {"cpu", AppendCpu, true},
    {"modules", AppendModules, true},
    {"commandstats", AppendCommandStats, false},
    {"errorstats", AppendErrorStats, true},
    {"latencystats", AppendLatencyStats, false},
    {"cluster", AppendCluster, true},
    {"sessions", AppendSessions, true},
    {"keyspace", AppendKeyspace, true},
};

bool Wanted(const Section& section, std::span<const std::string_view> asked) {
  if (asked.empty()) return section.in_default;
  return std::any_of(asked.begin(), asked.end(), [&](std::string_view name) {
    if (EqualsIgnoreCase(name, "all") || EqualsIgnoreCase(name, "everything")) return true;
    if (EqualsIgnoreCase(name, "default")) return section.in_default;
    if (EqualsIgnoreCase(name, "module_list")) return section.name == "modules";
    return EqualsIgnoreCase(name, section.name);
  });
}

}  // namespace

std::string Info(Server& server, std::span<const std::string_view> sections) {
  InfoText text;
  for (const Section& section : kSections) {
    if (Wanted(section, sections)) section.append(server, text);
  }
  return text.text();
}

}  // namespace cloakroom
