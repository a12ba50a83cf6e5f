// DBSIZE FLUSHDB FLUSHALL SWAPDB.
#include <climits>
#include <utility>

#include "server/commands/families.h"
#include "server/commands/support/database_index.h"
#include "server/commands/support/key_lookup.h"
#include "server/execution/arguments.h"
#include "server/execution/call.h"
#include "server/persistence/persistence.h"
#include "storage/access/flush.h"
#include "storage/keyspace/reclaimer.h"

namespace cloakroom {
namespace {

void DbSize(Call& call) {
  const auto size = static_cast<int64_t>(call.db().size());
  if (!call.db().TrySeeAll(call.hold())) return call.TryAgainSoon();
  call.reply().Integer(size);
}

/// ASYNC or SYNC. Both free memory on another thread.
bool CheckFlushMode(Call& call) {
  if (call.argc() == 1) return true;
  if (call.argc() == 2 && (call.Is(1, "async") || call.Is(1, "sync"))) return true;
  call.SyntaxError();
  return false;
}

void CountChanges(Call& call, size_t changes) {
  call.server().keyspace().counters().flush_changes.fetch_add(static_cast<int64_t>(changes),
                                                              std::memory_order_relaxed);
}

/// SYNC, the default, replies when the memory has been freed. Only this client waits for that.
void ReplyWhenFreed(Call& call) {
  bool async = call.argc() == 2 && call.Is(1, "async");
  if (async || call.mode() != CallMode::kTopLevel) return call.reply().Ok();
  call.StartLongWork([&reclaimer = call.server().keyspace().reclaimer()](LongWork& work) -> Task {
    co_await work.Until([&](LongWork::Resume resume) { reclaimer.WhenDrained(std::move(resume)); });
    work.reply.Ok();
  });
}

void FlushDb(Call& call) {
  if (!CheckFlushMode(call)) return;
  CountChanges(call, FlushDatabase(call.hold(), call.db()));
  ReplyWhenFreed(call);
}

void FlushAll(Call& call) {
  if (!CheckFlushMode(call) || !MayReachAll(call)) return;
  // Plus one, so that flushing an empty server is a change as well.
  CountChanges(call, FlushAll(call.hold(), call.server().keyspace()) + 1);
  call.server().persistence().saver().NoteFlush();
  ReplyWhenFreed(call);
}

void SwapDb(Call& call) {
  Arguments args(call, 1);
  const int first =
      static_cast<int>(args.IntegerIn(INT_MIN, INT_MAX, "ERR invalid first DB index"));
  const int second =
      static_cast<int>(args.IntegerIn(INT_MIN, INT_MAX, "ERR invalid second DB index"));
  if (!IsDatabaseIndex(call, first) || !IsDatabaseIndex(call, second)) {
    args.Fail(kDbIndexOutOfRange);
  }
  if (!args.Finish()) return;
  if (!MayReach(call, first) || !MayReach(call, second)) return;
  if (first != second) SwapDatabases(call.hold(), call.db(first), call.db(second));
  CountChanges(call, 1);
  call.reply().Ok();
}

DatabaseNumbers SwapDatabases(CommandArguments args, int) {
  return {DatabaseNumberOf(args[1]), DatabaseNumberOf(args[2])};
}

// Read as a table.
// clang-format off
constexpr CommandRow kDatabaseCommands[] = {
    {.name = "dbsize", .run = DbSize, .arity = 1, .flags = kReadonly | kFast,
     .access = Access::kPass,
     .request_policy = "all_shards", .response_policy = "agg_sum",
     .since = "1.0.0", .complexity = "O(1)",
     .summary = "Counts the keys of the database."},
    {.name = "flushdb", .run = FlushDb, .arity = -1, .flags = kWrite, .categories = kCatDangerous,
     .access = Access::kWhole,
     .request_policy = "all_shards", .response_policy = "all_succeeded", .since = "1.0.0",
     .complexity = "O(1); N keys are freed on another thread.",
     .syntax = "[ASYNC | SYNC]", .summary = "Removes all keys of the database."},
    {.name = "flushall", .run = FlushAll, .arity = -1, .flags = kWrite, .categories = kCatDangerous,
     .access = Access::kAll,
     .request_policy = "all_shards", .response_policy = "all_succeeded", .since = "1.0.0",
     .complexity = "O(1) for each database; N keys are freed on another thread.",
     .syntax = "[ASYNC | SYNC]", .summary = "Removes all keys of all databases."},
    {.name = "swapdb", .run = SwapDb, .arity = 3, .flags = kWrite | kFast,
     .categories = kCatDangerous, .access = Access::kNamed, .named = SwapDatabases,
     .since = "4.0.0", .complexity = "O(N) for N watched keys in both databases.",
     .syntax = "index1 index2", .summary = "Exchanges the contents of two databases."},
};
// clang-format on

}  // namespace

CommandFamily DatabaseCommands() {
  return {CommandGroup::kServer, kCatKeyspace, kDatabaseCommands};
}

}  // namespace cloakroom
