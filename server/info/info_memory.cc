// INFO's memory section.
#include <algorithm>
#include <array>

#include "server/config/config.h"
#include "server/config/config_store.h"
#include "server/info/info.h"
#include "server/info/memory_report.h"
#include "server/metrics/process_facts.h"
#include "server/roles/replication.h"
#include "server/script/function_registry.h"
#include "server/script/script_cache.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"

namespace cloakroom {

std::string HumanBytes(int64_t bytes) {
  constexpr std::array<char, 5> kUnits = {'K', 'M', 'G', 'T', 'P'};
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

void AppendMemory(Server& server, InfoText& text) {
  MemoryReport report = MemoryReport::Of(server);
  text.Section("Memory");
  text.Bytes("used_memory", report.used);
  text.Bytes("used_memory_rss", report.resident);
  text.Bytes("used_memory_peak", report.peak);
  text.Percent("used_memory_peak_perc", report.peak_percent());
  text.Line("used_memory_overhead", report.overhead());
  text.Line("used_memory_startup", report.startup);
  text.Line("used_memory_dataset", report.dataset());
  text.Percent("used_memory_dataset_perc", report.dataset_percent());
  text.Line("allocator_allocated", report.allocator.allocated);
  text.Line("allocator_active", report.allocator.active);
  text.Line("allocator_resident", report.allocator.resident);
  text.Bytes("total_system_memory", server.facts().system_memory_bytes);
  text.Line("used_memory_lua", report.lua);
  text.Line("used_memory_vm_eval", report.lua);
  text.Line("used_memory_lua_human", HumanBytes(report.lua));
  text.Line("used_memory_scripts_eval", report.scripts);
  text.Line("number_of_cached_scripts", server.scripts().size());
  const FunctionRegistry::Totals functions = server.functions().totals();
  text.Line("number_of_functions", functions.functions);
  text.Line("number_of_libraries", functions.libraries);
  text.Line("used_memory_vm_functions", report.lua_functions);
  text.Bytes("used_memory_vm_total", report.lua + report.lua_functions);
  text.Line("used_memory_functions", report.functions);
  text.Bytes("used_memory_scripts", report.scripts + report.functions);
  text.Bytes("maxmemory", server.settings().maxmemory_bytes);
  text.Line("maxmemory_policy", server.config().Text("maxmemory-policy"));
  text.Ratio("allocator_frag_ratio", report.allocator_frag_ratio());
  text.Line("allocator_frag_bytes", report.allocator.active - report.allocator.allocated);
  text.Ratio("allocator_rss_ratio", report.allocator_rss_ratio());
  text.Line("allocator_rss_bytes", report.allocator.resident - report.allocator.active);
  text.Ratio("rss_overhead_ratio", report.rss_overhead_ratio());
  text.Line("rss_overhead_bytes", report.resident - report.allocator.resident);
  text.Ratio("mem_fragmentation_ratio", report.fragmentation_ratio());
  text.Line("mem_fragmentation_bytes", report.resident - report.used);
  text.Line("mem_not_counted_for_evict", server.keyspace().uncounted_bytes());
  const Replication::Figures replication = server.replication().figures();
  text.Line("mem_replication_backlog",
            std::min(replication.stream_bytes, server.settings().repl_backlog_size_bytes + 0));
  text.Line("mem_total_replication_buffers", replication.stream_bytes);
  text.Line(
      "mem_clients_slaves",
      std::max<int64_t>(replication.stream_bytes - server.settings().repl_backlog_size_bytes, 0));
  text.Line("mem_clients_normal", report.clients);
  text.Line("mem_cluster_links", 0);
  text.Line("mem_aof_buffer", 0);
  text.Line("mem_allocator", MemoryMeter::AllocatorName());
  text.Line("active_defrag_running", 0);
  text.Line("lazyfree_pending_objects", server.keyspace().reclaimer().pending());
  text.Line("lazyfreed_objects", server.keyspace().reclaimer().freed());
  text.Line("cloakroom_repl_spool_bytes", replication.spooled_bytes);  // on the disk
}

}  // namespace cloakroom
