// MULTI EXEC DISCARD WATCH UNWATCH. The executor runs the transaction.
#include <algorithm>

#include "server/commands/families.h"
#include "server/execution/call.h"
#include "server/execution/interests.h"
#include "server/execution/transaction.h"

namespace cloakroom {
namespace {

void Multi(Call& call) {
  Client& client = call.client();
  if (client.in_multi) return call.Error("ERR MULTI calls can not be nested");
  client.in_multi = true;
  client.multi_count = 0;
  call.reply().Ok();
}

/// Inside MULTI the executor handles EXEC; here there is no transaction.
void Exec(Call& call) { call.Error("ERR EXEC without MULTI"); }

void Discard(Call& call) {
  if (!call.client().in_multi) return call.Error("ERR DISCARD without MULTI");
  LeaveMulti(call.server(), call.thread().slot, call.client());
  call.reply().Ok();
}

void Watch(Call& call) {
  Client& client = call.client();
  if (client.in_multi) return call.Error("ERR WATCH inside MULTI is not allowed");
  for (size_t i = 1; i < call.argc(); ++i) {
    std::string_view key = call.arg(i);
    bool known = std::any_of(client.watched.begin(), client.watched.end(), [&](const auto& other) {
      return other.db == client.db && other.key == key;
    });
    if (known) continue;
    call.db().Watch(key, call.HashOf(key), client.watcher.get(), call.now_ms());
    client.watched.push_back({client.db, std::string(key)});
  }
  client.watch_count = static_cast<int>(client.watched.size());
  call.reply().Ok();
}

void Unwatch(Call& call) {
  // If this runs inside EXEC, EXEC forgets everything after it has released its hold.
  if (call.mode() == CallMode::kTopLevel) {
    UnwatchAll(call.server(), call.thread().slot, call.client());
  }
  call.reply().Ok();
}

// Read as a table.
// clang-format off
constexpr CommandRow kTransactionCommands[] = {
    {.name = "multi", .run = Multi, .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kUndeferred, .since = "1.2.0",
     .complexity = "O(1)", .summary = "Starts a transaction."},
    {.name = "exec", .run = Exec, .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kUndeferred | kEndsMulti | kRunsQueue,
     .since = "1.2.0",
     .complexity = "Depends on commands in the transaction",
     .summary = "Executes all commands in a transaction."},
    {.name = "discard", .run = Discard, .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kUndeferred | kEndsMulti,
     .since = "2.0.0",
     .complexity = "O(N), when N is the number of queued commands",
     .summary = "Forgets a transaction's commands and what was watched for it."},
    {.name = "watch", .run = Watch, .arity = -2,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kUndeferred,
     .keys = {KeyRange(1, -1, 1, kRO)}, .since = "2.2.0", .complexity = "O(1) for every key.",
     .syntax = "key [key ...]",
     .summary = "Makes the next transaction depend on these keys staying as they are."},
    {.name = "unwatch", .run = Unwatch, .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy, .since = "2.2.0",
     .complexity = "O(1)", .summary = "Forgets what was watched."},
};
// clang-format on

}  // namespace

CommandFamily TransactionCommands() {
  return {CommandGroup::kTransactions, kCatTransaction, kTransactionCommands};
}

}  // namespace cloakroom
