// SLOWLOG: the commands that took long.
#include "server/metrics/slowlog.h"

#include "server/commands/families.h"
#include "server/commands/support/help.h"
#include "server/execution/call.h"
#include "server/persistence/persistence.h"

namespace cloakroom {
namespace {

void SlowLogGet(Call& call) {
  call.server().persistence().journal().SawEverything();
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
  call.server().persistence().journal().SawEverything();
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
    { "slowlog", nullptr, -2, 0, {}, "2.2.12", "Depends on subcommand.", "",
     "About the commands that took long."},
    { "slowlog|get", SlowLogGet, -2, kSlowLog | kRandomOutput, {}, "2.2.12",
     "O(N) where N is the number of entries returned", "[count]",
     "Returns the latest slow commands."},
    { "slowlog|len", SlowLogLen, 2, kSlowLog | kRandomOutput, {}, "2.2.12", "O(1)", "",
     "Counts the slow commands that are remembered."},
    { "slowlog|reset", SlowLogReset, 2, kSlowLog, {}, "2.2.12",
     "O(N) where N is the number of entries in the slowlog", "", "Forgets the slow commands."},
    { "slowlog|help", Help, 2, kLoading | kStale, {}, "6.2.0", "O(1)", "",
     "Lists the subcommands."},
};
// clang-format on

}  // namespace

CommandFamily SlowLogCommands() { return {CommandGroup::kServer, 0, kSlowLogCommands}; }

}  // namespace cloakroom
