#include "server/execution/accounting.h"

#include <utility>

#include "server/config/config.h"
#include "server/execution/secrets.h"
#include "server/metrics/latency_monitor.h"
#include "server/metrics/slowlog.h"
#include "server/metrics/stats.h"
#include "storage/base/clock.h"

namespace cloakroom {

void Accounting::CountError(std::string_view error) {
  thread_.stats.errors += 1;
  server_.errors().Count(error.substr(0, error.find(' ')));
}

void Accounting::CountRejected(const Command* command, std::string_view error) {
  if (command != nullptr) {
    thread_.stats.per_command[static_cast<size_t>(command->index)].rejected += 1;
  }
  CountError(error);
}

void Accounting::CountFailure(const Command& command, std::string_view error_code) {
  CountError(error_code);
  CountFailed(command);
}

void Accounting::CountFailed(const Command& command) {
  thread_.stats.per_command[static_cast<size_t>(command.index)].failed += 1;
}

void Accounting::NoteRun(const Call& call) {
  if (server_.monitors().active()) [[unlikely]] {
    TellMonitors(call.client(), call.command(), call.args(), call.mode());
  }
  if (!call.failed()) [[likely]]
    return;
  if (call.error_is_counted()) return CountFailed(call.command());
  CountFailure(call.command(), call.error_code());
}

void Accounting::NoteEnd(Client& client, const Command& command, CommandArguments args,
                         int64_t duration_us) {
  CommandStats& stats = thread_.stats.per_command[static_cast<size_t>(command.index)];
  stats.calls += 1;
  stats.usec += duration_us;
  thread_.stats.commands += 1;
  const Config& settings = server_.settings();
  if (settings.latency_tracking) AddToHistogram(stats, duration_us);
  const int64_t late_ms = settings.latency_monitor_threshold_ms;
  if (late_ms > 0 && duration_us >= late_ms * 1000) [[unlikely]] {
    server_.latency().Add(command.row->has(kFast) ? "fast-command" : "command",
                          server_.clock().NowMs() / 1000, duration_us / 1000);
  }
  const int64_t slow_us = settings.slowlog_log_slower_than_us;
  if (slow_us >= 0 && duration_us >= slow_us) [[unlikely]]
    AddToSlowLog(client, command, args, duration_us);
}

void Accounting::AddToHistogram(CommandStats& stats, int64_t duration_us) {
  LatencyHistogram* histogram = stats.histogram.load(std::memory_order_relaxed);
  if (histogram == nullptr) {
    histogram = new LatencyHistogram;
    stats.histogram.store(histogram, std::memory_order_release);
  }
  histogram->Add(duration_us);
}

void Accounting::AddToSlowLog(Client& client, const Command& command, CommandArguments args,
                              int64_t duration_us) {
  if (command.row->has(kSkipSlowlog)) return;
  std::string name;
  {
    MutexLock lock(client.mutex);
    name = client.name;
  }
  server_.slowlog().Add(WithoutSecrets(*command.row, args), server_.clock().NowMs() / 1000,
                        duration_us, client.address.Text(), std::move(name),
                        static_cast<size_t>(server_.settings().slowlog_max_len.Get()));
}

void Accounting::TellMonitors(const Client& client, const Command& command, CommandArguments args,
                              CallMode mode) {
  if (command.row->has(kSkipMonitor) || command.row->has(kAdmin)) return;
  const int64_t now_us = server_.clock().NowUs();
  const auto source = mode == CallMode::kScript ? "lua" : MonitorName(client);
  const auto shown = WithoutSecrets(*command.row, args);
  if (notes_ != nullptr && mode == CallMode::kTransaction) {
    return notes_->Add(now_us, client.db, source, shown);
  }
  server_.monitors().Tell(now_us, client.db, source, shown, thread_.pusher());
}

}  // namespace cloakroom
