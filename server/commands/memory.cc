// MEMORY: how memory is used.
#include <fmt/core.h>

#include <memory>
#include <string>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/commands/support/long_reply.h"
#include "server/config/config.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/info/info_text.h"
#include "server/info/memory_report.h"
#include "server/persistence/persistence.h"
#include "server/roles/replication.h"
#include "storage/base/memory_meter.h"
#include "storage/values/shared_value.h"

namespace cloakroom {
namespace {

/// The table's own cost of an entry: a slot of a bucket with the usual load.
constexpr size_t kSlotBytes = 12;

void MemoryUsage(Call& call) {
  constexpr size_t kDefaultSamples = 5;
  size_t samples = kDefaultSamples;
  Arguments args(call, 3);
  while (args.More()) {
    if (!args.Word("SAMPLES")) args.SyntaxError();
    const int64_t count = args.Integer();
    if (count < 0) args.SyntaxError();
    samples = static_cast<size_t>(count);
  }
  if (!args.Finish()) return;
  const Entry* entry = call.Peek(call.arg(2));
  if (entry == nullptr) return call.reply().Null();
  size_t own = entry->allocated_bytes() + kSlotBytes;
  const ValueView value = entry->value();
  if (samples != 0 || OpsOf(value.type).size(value, call.now_ms()) <= kLongWorkItems) {
    own += ValueMemory(value, samples);
    return call.reply().Integer(static_cast<int64_t>(own));
  }
  // Measures all of a large value without holding its stripe.
  call.StartLongWork([shared = SharedValue(value), own](LongWork& work) {
    size_t all = own + ValueMemory(shared.view(), 0);
    work.reply.Integer(static_cast<int64_t>(all));
  });
}

void ReplyNumber(ReplyWriter& reply, std::string_view name, int64_t value) {
  reply.Bulk(name);
  reply.Integer(value);
}

void ReplyRatio(ReplyWriter& reply, std::string_view name, double value) {
  reply.Bulk(name);
  reply.Double(value);
}

/// Returns the pairs written: one for every database with keys.
size_t ReplyDatabases(Keyspace& keyspace, ReplyWriter& reply) {
  size_t pairs = 0;
  for (int i = 0; i < keyspace.database_count(); ++i) {
    const Database& db = keyspace.db(i);
    if (db.size() == 0) continue;
    ++pairs;
    reply.Bulk(fmt::format("db.{}", i));
    reply.Map(3);
    ReplyNumber(reply, "overhead.hashtable.main", static_cast<int64_t>(db.size() * kSlotBytes));
    ReplyNumber(reply, "overhead.hashtable.expires", 0);
    ReplyNumber(reply, "overhead.hashtable.slot-to-keys", 0);
  }
  return pairs;
}

void MemoryStats(Call& call) {
  // The report counts keys.
  call.SeeEverything();
  MemoryReport report = MemoryReport::Of(call.server());
  Keyspace& keyspace = call.server().keyspace();
  int64_t keys = 0;
  for (int i = 0; i < keyspace.database_count(); ++i) {
    keys += static_cast<int64_t>(keyspace.db(i).size());
  }
  ReplyWriter& reply = call.reply();
  size_t mark = reply.BeginArray();
  ReplyNumber(reply, "peak.allocated", report.peak);
  ReplyNumber(reply, "total.allocated", report.used);
  ReplyNumber(reply, "startup.allocated", report.startup);
  ReplyNumber(reply, "replication.backlog", call.server().replication().figures().stream_bytes);
  ReplyNumber(reply, "clients.slaves", 0);
  ReplyNumber(reply, "clients.normal", report.clients);
  ReplyNumber(reply, "cluster.links", 0);
  ReplyNumber(reply, "aof.buffer", 0);
  ReplyNumber(reply, "lua.caches", report.scripts);
  ReplyNumber(reply, "functions.caches", report.functions);
  size_t databases = ReplyDatabases(keyspace, reply);
  ReplyNumber(reply, "overhead.total", report.overhead());
  ReplyNumber(reply, "keys.count", keys);
  ReplyNumber(reply, "keys.bytes-per-key", keys == 0 ? 0 : report.dataset() / keys);
  ReplyNumber(reply, "dataset.bytes", report.dataset());
  ReplyRatio(reply, "dataset.percentage", report.dataset_percent());
  ReplyRatio(reply, "peak.percentage", report.peak_percent());
  const MemoryMeter::Allocator& allocator = report.allocator;
  ReplyNumber(reply, "allocator.allocated", allocator.allocated);
  ReplyNumber(reply, "allocator.active", allocator.active);
  ReplyNumber(reply, "allocator.resident", allocator.resident);
  ReplyRatio(reply, "allocator-fragmentation.ratio", report.allocator_frag_ratio());
  ReplyNumber(reply, "allocator-fragmentation.bytes", allocator.active - allocator.allocated);
  ReplyRatio(reply, "allocator-rss.ratio", report.allocator_rss_ratio());
  ReplyNumber(reply, "allocator-rss.bytes", allocator.resident - allocator.active);
  ReplyRatio(reply, "rss-overhead.ratio", report.rss_overhead_ratio());
  ReplyNumber(reply, "rss-overhead.bytes", report.resident - allocator.resident);
  ReplyRatio(reply, "fragmentation", report.fragmentation_ratio());
  ReplyNumber(reply, "fragmentation.bytes", report.resident - report.used);
  reply.EndMap(mark, 27 + databases);
}

void MemoryDoctor(Call& call) {
  constexpr int64_t kTooLittle = 5 * 1024 * 1024;
  MemoryReport report = MemoryReport::Of(call.server());
  int64_t limit = call.server().settings().maxmemory_bytes;
  std::string findings;
  if (report.used < kTooLittle) {
    findings = "There is hardly any data, so nothing can be said about its memory.\n";
  } else {
    if (report.peak > report.used + report.used / 2) {
      findings += fmt::format(
          "- At its peak the server used {}, far more than now ({}). What was "
          "freed may still be resident; MEMORY PURGE gives it back.\n",
          HumanBytes(report.peak), HumanBytes(report.used));
    }
    if (report.fragmentation_ratio() > 1.4 && report.resident - report.used > 2 * kTooLittle) {
      findings += fmt::format("- {} are resident for {} in use: the memory is fragmented.\n",
                              HumanBytes(report.resident), HumanBytes(report.used));
    }
    if (limit > 0 && report.used > limit - limit / 20) {
      findings += fmt::format(
          "- {} of maxmemory's {} are in use: keys are being evicted, or "
          "writes refused.\n",
          HumanBytes(report.used), HumanBytes(limit));
    }
    if (findings.empty()) findings = "No problem with memory was found.\n";
  }
  call.reply().Verbatim("txt", findings);
}

void MemoryMallocStats(Call& call) {
  call.StartLongWork([](LongWork& work) {
    std::string report = MemoryMeter::AllocatorReport();
    work.reply.Verbatim("txt", report.empty() ? "The allocator has no statistics." : report);
  });
}

void MemoryPurge(Call& call) {
  call.StartLongWork([](LongWork& work) {
    MemoryMeter::Purge();
    work.reply.Ok();
  });
}

// Read as a table.
// clang-format off
constexpr CommandRow kMemoryCommands[] = {
    {.name = "memory", .arity = -2, .since = "4.0.0", .complexity = "Depends on subcommand.",
     .summary = "About memory."},
    {.name = "memory|doctor", .run = MemoryDoctor, .arity = 2, .flags = kRandomOutput,
     .request_policy = "all_shards", .response_policy = "special",
     .since = "4.0.0", .complexity = "O(1)", .summary = "Looks for problems with memory."},
    {.name = "memory|malloc-stats", .run = MemoryMallocStats, .arity = 2, .flags = kRandomOutput,
     .request_policy = "all_shards", .response_policy = "special",
     .since = "4.0.0", .complexity = "Depends on how much memory is allocated, could be slow",
     .summary = "Returns the allocator's own statistics."},
    {.name = "memory|purge", .run = MemoryPurge, .arity = 2,
     .request_policy = "all_shards", .response_policy = "all_succeeded", .since = "4.0.0",
     .complexity = "Depends on how much memory is allocated, could be slow",
     .summary = "Gives unused memory back to the system."},
    {.name = "memory|stats", .run = MemoryStats, .arity = 2, .flags = kRandomOutput,
     .request_policy = "all_shards", .response_policy = "special",
     .since = "4.0.0", .complexity = "O(1)", .summary = "Returns where the memory is."},
    {.name = "memory|usage", .run = MemoryUsage, .arity = -3, .flags = kReadonly,
     .keys = {Key(2, kRO)}, .since = "4.0.0",
     .complexity = "O(N) where N is the number of samples.",
     .syntax = "key [SAMPLES count]", .summary = "Estimates the memory of a key and its value."},
    {.name = "memory|help", .run = Help, .arity = 2, .flags = kLoading | kStale, .since = "4.0.0",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily MemoryCommands() { return {CommandGroup::kServer, 0, kMemoryCommands}; }

}  // namespace cloakroom
