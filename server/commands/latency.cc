// LATENCY: what delayed the server, and how long commands take.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "protocol/text.h"
#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/config/config.h"
#include "server/execution/call.h"
#include "server/info/totals.h"
#include "server/metrics/latency_monitor.h"

namespace cloakroom {
namespace {

void LatencyHistory(Call& call) {
  auto event = call.server().latency().Find(call.arg(2));
  call.reply().Array(event.samples.size());
  for (const auto& sample : event.samples) {
    call.reply().Array(2);
    call.reply().Integer(sample.unix_seconds);
    call.reply().Integer(sample.duration_ms);
  }
}

void LatencyLatest(Call& call) {
  auto events = call.server().latency().Events();
  call.reply().Array(events.size());
  for (const auto& event : events) {
    call.reply().Array(4);
    call.reply().Bulk(event.name);
    call.reply().Integer(event.samples.back().unix_seconds);
    call.reply().Integer(event.samples.back().duration_ms);
    call.reply().Integer(event.longest_ms);
  }
}

void LatencyReset(Call& call) {
  LatencyMonitor& monitor = call.server().latency();
  int64_t removed = 0;
  for (size_t i = 2; i < call.argc(); ++i) removed += monitor.Reset(call.arg(i)) ? 1 : 0;
  if (call.argc() == 2) {
    for (const auto& event : monitor.Events()) removed += monitor.Reset(event.name) ? 1 : 0;
  }
  call.reply().Integer(removed);
}

/// One row per sample; its bar shows its share of the longest.
std::string Graph(const LatencyMonitor::Event& event) {
  constexpr int64_t kWidth = 60;
  int64_t longest = 1;
  for (const auto& sample : event.samples) longest = std::max(longest, sample.duration_ms);
  std::string graph = fmt::format("{} - longest ever {} ms, {} samples\n", event.name,
                                  event.longest_ms, event.samples.size());
  for (const auto& sample : event.samples) {
    int64_t bar = std::max<int64_t>(sample.duration_ms * kWidth / longest, 1);
    graph += fmt::format("{} {:>8} ms {}\n", sample.unix_seconds, sample.duration_ms,
                         std::string(static_cast<size_t>(bar), '#'));
  }
  return graph;
}

void LatencyGraph(Call& call) {
  auto event = call.server().latency().Find(call.arg(2));
  if (event.samples.empty()) {
    return call.Error(Concat({"ERR No samples available for event '", call.arg(2), "'"}));
  }
  call.reply().Verbatim("txt", Graph(event));
}

void LatencyDoctor(Call& call) {
  int64_t threshold_ms = call.server().settings().latency_monitor_threshold_ms;
  if (threshold_ms == 0) {
    return call.reply().Verbatim(
        "txt",
        "Nothing is being watched: latency-monitor-threshold is 0. Set it to the milliseconds\n"
        "from which on you want to hear of a delay, for instance\n"
        "CONFIG SET latency-monitor-threshold 100\n");
  }
  auto events = call.server().latency().Events();
  if (events.empty()) {
    return call.reply().Verbatim("txt",
                                 fmt::format("All is well: nothing took {} ms.\n", threshold_ms));
  }
  std::string report;
  for (const auto& event : events) {
    int64_t sum = 0;
    for (const auto& sample : event.samples) sum += sample.duration_ms;
    report += fmt::format("{}: {} delays, {} ms on average, {} ms at worst.\n", event.name,
                          event.samples.size(), sum / static_cast<int64_t>(event.samples.size()),
                          event.longest_ms);
  }
  report += "SLOWLOG GET shows which commands were slow, LATENCY HISTORY <event> when.\n";
  call.reply().Verbatim("txt", report);
}

/// How many calls took at most 1, 2, 4... microseconds; only the steps where the number grows.
std::vector<std::pair<int64_t, int64_t>> Cumulative(const Durations& durations) {
  std::vector<std::pair<int64_t, int64_t>> steps;
  int64_t seen = 0;
  for (int bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
    seen += durations.counts[static_cast<size_t>(bucket)];
    // A step ends after the four buckets of each power of two.
    if ((bucket + 1) % LatencyHistogram::kSteps != 0 || seen == 0) continue;
    int64_t limit_us = int64_t{1} << (bucket / LatencyHistogram::kSteps + 1);
    if (steps.empty() || steps.back().second != seen) steps.emplace_back(limit_us, seen);
  }
  return steps;
}

/// Returns false, and replies nothing, if the command has no durations.
bool ReplyHistogram(Call& call, const Command& command) {
  Durations durations = DurationsOf(call.server(), command.index);
  if (durations.total == 0) return false;
  ReplyWriter& reply = call.reply();
  auto steps = Cumulative(durations);
  reply.Bulk(command.row->name);
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(durations.total);
  reply.Bulk("histogram_usec");
  reply.Map(steps.size());
  for (auto [limit_us, count] : steps) {
    reply.Integer(limit_us);
    reply.Integer(count);
  }
  return true;
}

void LatencyHistogramCommand(Call& call) {
  const CommandTable& table = call.server().commands();
  std::vector<const Command*> wanted;
  auto add = [&](const Command& command) {
    wanted.push_back(&command);
    wanted.insert(wanted.end(), command.subcommands.begin(), command.subcommands.end());
  };
  for (size_t i = 2; i < call.argc(); ++i) {
    if (const Command* command = table.FindName(LowerCase(call.arg(i)))) add(*command);
  }
  if (call.argc() == 2) {
    for (const Command* command : table.commands()) add(*command);
  }
  size_t mark = call.reply().BeginArray();
  size_t told = 0;
  for (const Command* command : wanted) told += ReplyHistogram(call, *command) ? 1 : 0;
  call.reply().EndMap(mark, told);
}

constexpr uint32_t kLatency = kAdmin | kNoScript | kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kLatencyCommands[] = {
    {.name = "latency", .arity = -2, .since = "2.8.13", .complexity = "Depends on subcommand.",
     .summary = "About delays."},
    {.name = "latency|doctor", .run = LatencyDoctor, .arity = 2, .flags = kLatency | kRandomOutput,
     .request_policy = "all_nodes", .response_policy = "special",
     .since = "2.8.13", .complexity = "O(1)", .summary = "Sums up the delays that were noticed."},
    {.name = "latency|graph", .run = LatencyGraph, .arity = 3, .flags = kLatency | kRandomOutput,
     .request_policy = "all_nodes", .response_policy = "special",
     .since = "2.8.13", .complexity = "O(1)",
     .syntax = "event", .summary = "Draws the delays of one kind."},
    {.name = "latency|histogram", .run = LatencyHistogramCommand, .arity = -2,
     .flags = kLatency | kRandomOutput,
     .request_policy = "all_nodes", .response_policy = "special", .since = "7.0.0",
     .complexity = "O(N) where N is the number of commands with latency information being "
                   "retrieved.",
     .syntax = "[command [command ...]]", .summary = "Returns how long commands took, cumulated."},
    {.name = "latency|history", .run = LatencyHistory, .arity = 3,
     .flags = kLatency | kRandomOutput,
     .request_policy = "all_nodes", .response_policy = "special",
     .since = "2.8.13", .complexity = "O(1)",
     .syntax = "event", .summary = "Returns the delays of one kind with their times."},
    {.name = "latency|latest", .run = LatencyLatest, .arity = 2, .flags = kLatency | kRandomOutput,
     .request_policy = "all_nodes", .response_policy = "special",
     .since = "2.8.13", .complexity = "O(1)",
     .summary = "Returns the latest and the longest delay of each kind."},
    {.name = "latency|reset", .run = LatencyReset, .arity = -2, .flags = kLatency,
     .request_policy = "all_nodes", .response_policy = "all_succeeded",
     .since = "2.8.13", .complexity = "O(1)",
     .syntax = "[event [event ...]]", .summary = "Forgets the delays of all or some kinds."},
    {.name = "latency|help", .run = Help, .arity = 2, .flags = kLoading | kStale, .since = "2.8.13",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily LatencyCommands() { return {CommandGroup::kServer, 0, kLatencyCommands}; }

}  // namespace cloakroom
