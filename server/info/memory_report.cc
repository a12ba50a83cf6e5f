#include "server/info/memory_report.h"

#include "server/execution/thread_context.h"
#include "server/info/sampler.h"
#include "server/script/function_registry.h"
#include "server/script/script_cache.h"

namespace cloakroom {

MemoryReport MemoryReport::Of(Server& server) {
  Sampler::Figures figures = server.sampler().figures();
  MemoryReport report;
  report.used = MemoryMeter::UsedBytes();
  report.peak = std::max(server.sampler().PeakBytes(), report.used);
  report.startup = server.sampler().used_bytes_at_start();
  report.resident = figures.resident_bytes;
  report.clients = figures.client_bytes;
  report.allocator = figures.allocator;
  for (int i = 0; i < server.thread_count(); ++i) {
    report.lua += static_cast<int64_t>(server.thread(i).script_engine.memory_bytes());
    report.lua_functions += static_cast<int64_t>(server.thread(i).function_engine.memory_bytes());
  }
  report.scripts = static_cast<int64_t>(server.scripts().memory_bytes());
  report.functions = static_cast<int64_t>(server.functions().totals().memory_bytes);
  return report;
}

}  // namespace cloakroom
