// SLOWLOG: the last slow commands.
#include "server/metrics/slowlog.h"

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/execution/call.h"
#include "server/persistence/persistence.h"

namespace cloakroom {
namespace {

void SlowLogGet(Call& call) {
  call.SeeEverything();
  constexpr int64_t kDefaultCount = 10;
  if (call.argc() > 3) return SubcommandError(call);
  int64_t count = kDefaultCount;
  if (call.argc() == 3) {
    auto asked =
        call.IntegerIn(2, -1, INT64_MAX, "ERR count should be greater than or equal to -1");
    if (!asked) return;
    count = *asked;
  }
  SlowLog& slowlog = call.server().slowlog();
  auto records = slowlog.Newest(count < 0 ? SIZE_MAX / 2 : static_cast<size_t>(count));
  ReplyWriter& reply = call.reply();
  reply.Array(records.size());
  for (const SlowLog::Record& record : records) {
    reply.Array(6);
    reply.Integer(record.id);
    reply.Integer(record.unix_seconds);
    reply.Integer(record.duration_us);
    reply.Array(record.args.size());
    for (const std::string& arg : record.args) reply.Bulk(arg);
    reply.Bulk(record.address);
    reply.Bulk(record.client_name);
  }
}

void SlowLogLen(Call& call) {
  call.SeeEverything();
  call.reply().Integer(static_cast<int64_t>(call.server().slowlog().size()));
}

void SlowLogReset(Call& call) {
  call.server().slowlog().Reset();
  call.reply().Ok();
}

constexpr uint32_t kSlowLog = kAdmin | kLoading | kStale;

// Read as a table.
// clang-format off
constexpr CommandRow kSlowLogCommands[] = {
    {.name = "slowlog", .arity = -2, .since = "2.2.12", .complexity = "Depends on subcommand.",
     .summary = "About the commands that took long."},
    {.name = "slowlog|get", .run = SlowLogGet, .arity = -2, .flags = kSlowLog | kRandomOutput,
     .request_policy = "all_nodes",
     .since = "2.2.12", .complexity = "O(N) where N is the number of entries returned",
     .syntax = "[count]", .summary = "Returns the latest slow commands."},
    {.name = "slowlog|len", .run = SlowLogLen, .arity = 2, .flags = kSlowLog | kRandomOutput,
     .request_policy = "all_nodes", .response_policy = "agg_sum",
     .since = "2.2.12", .complexity = "O(1)",
     .summary = "Counts the slow commands that are remembered."},
    {.name = "slowlog|reset", .run = SlowLogReset, .arity = 2, .flags = kSlowLog,
     .request_policy = "all_nodes", .response_policy = "all_succeeded", .since = "2.2.12",
     .complexity = "O(N) where N is the number of entries in the slowlog",
     .summary = "Forgets the slow commands."},
    {.name = "slowlog|help", .run = Help, .arity = 2, .flags = kLoading | kStale, .since = "6.2.0",
     .complexity = "O(1)", .summary = "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily SlowLogCommands() { return {CommandGroup::kServer, 0, kSlowLogCommands}; }

}  // namespace cloakroom
